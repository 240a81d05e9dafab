// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_context.h"

#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {
/// Sizes of the engine's structures: selector (4, padded to 8), base, limit, flags.
constexpr std::size_t kSegmentSize = 24;
constexpr std::uint32_t kFlagsAreInSource = 1;  ///< the engine's name for "cc_src holds the flags"
}  // namespace

std::uint64_t EngineContext::rflags() const {
  std::uint64_t value = 0;
  uc_reg_read(engine_, UC_X86_REG_RFLAGS, &value);
  return value | rflags::kFixed;
}

void EngineContext::set_rflags(std::uint64_t value, bool inside) {
  value |= rflags::kFixed;
  const std::uint64_t apart = rflags::kArithmetic | rflags::kDf;
  put(layout_.eflags, inside ? value & ~apart : value);
  put(layout_.cc_dst + 8, value & rflags::kArithmetic);
  put(layout_.cc_dst + 24, kFlagsAreInSource);
  put(layout_.cc_dst + 28, std::int32_t{value & rflags::kDf ? -1 : 1});
}

EngineSegment EngineContext::segment(SegmentIndex index) const {
  const std::size_t at = layout_.segments + static_cast<std::size_t>(index) * kSegmentSize;
  return {get<std::uint32_t>(at), get<std::uint64_t>(at + 8), get<std::uint32_t>(at + 16),
          get<std::uint32_t>(at + 20)};
}

void EngineContext::set_segment(SegmentIndex index, const EngineSegment& segment) {
  const std::size_t at = layout_.segments + static_cast<std::size_t>(index) * kSegmentSize;
  put(at, segment.selector);
  put(at + 8, segment.base);
  put(at + 16, segment.limit);
  put(at + 20, segment.flags);
}

void EngineContext::enable_interception(std::uint64_t control_block, std::uint64_t instructions,
                                        std::uint16_t cr_reads, std::uint16_t cr_writes) {
  put(layout_.debug + 104, control_block);
  put(layout_.debug + 120, instructions);
  put(layout_.debug + 128, cr_reads);
  put(layout_.debug + 130, cr_writes);
  set_hflags(hflags() | hflag::kGuest);
}

std::uint32_t compute_hflags(const EngineContext& context, std::uint64_t flags, std::uint32_t other) {
  const std::uint64_t cr0 = context.cr(0);
  const std::uint64_t cr4 = context.cr(4);
  const EngineSegment cs = context.segment(SegmentIndex::Cs);
  const EngineSegment ss = context.segment(SegmentIndex::Ss);
  const bool protected_mode = cr0 & cr0::kPe;
  const bool virtual_8086 = flags & rflags::kVm;
  std::uint32_t result = other;
  if (protected_mode) result |= hflag::kPe | (virtual_8086 ? 3 : ss.dpl());
  result |= static_cast<std::uint32_t>((cr0 << 8) & hflag::kMpEmTs);
  if (cr4 & cr4::kOsfxsr) result |= hflag::kOsfxsr;
  if (cr4 & cr4::kSmap) result |= hflag::kSmap;
  const bool long_mode = context.efer() & efer::kLma;
  if (long_mode) result |= hflag::kLma;
  if (long_mode && (cs.flags & descriptor::kLong)) return result | hflag::kCs64 | hflag::kCs32 | hflag::kSs32;
  if (cs.flags & descriptor::kBig) result |= hflag::kCs32;
  if (ss.flags & descriptor::kBig) result |= hflag::kSs32;
  const bool flat =
      (context.segment(SegmentIndex::Ds).base | context.segment(SegmentIndex::Es).base | ss.base) == 0;
  const bool is_32_bit = protected_mode && !virtual_8086 && (result & hflag::kCs32);
  if (!is_32_bit || !flat) result |= hflag::kAddSeg;
  return result;
}

}  // namespace virttdx::softhost
