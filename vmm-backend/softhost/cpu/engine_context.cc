// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/engine_context.h"

#include <array>

#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {
/// Sizes of the engine's structures: selector (4, padded to 8), base, limit, flags.
constexpr std::size_t kSegmentSize = 24;
constexpr unsigned kEmptyTag = 3;               ///< of an x87 register (SDM volume 1, 8.1.7)
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

XmmWords EngineContext::xmm(unsigned index) const {
  return register_value<XmmWords>(UC_X86_REG_XMM0 + static_cast<int>(index));
}

void EngineContext::set_xmm(unsigned index, const XmmWords& value) {
  set_register_value(UC_X86_REG_XMM0 + static_cast<int>(index), value);
}

ExtendedState EngineContext::legacy_state() const {
  ExtendedState state;
  state.fcw = register_value<std::uint16_t>(UC_X86_REG_FPCW);
  state.fsw = register_value<std::uint16_t>(UC_X86_REG_FPSW);
  state.fop = register_value<std::uint16_t>(UC_X86_REG_FOP);
  state.fip = register_value<std::uint64_t>(UC_X86_REG_FIP);
  state.fdp = register_value<std::uint64_t>(UC_X86_REG_FDP);
  const auto tags = register_value<std::uint16_t>(UC_X86_REG_FPTAG);
  for (unsigned i = 0; i < 8; ++i)
    if ((tags >> (2 * i) & 3) != kEmptyTag) state.ftw |= static_cast<std::uint8_t>(1U << i);
  for (unsigned i = 0; i < 8; ++i)
    state.st[i] = register_value<std::array<std::byte, 10>>(UC_X86_REG_ST0 + static_cast<int>(i));
  state.mxcsr = register_value<std::uint32_t>(UC_X86_REG_MXCSR);
  for (unsigned i = 0; i < state.xmm.size(); ++i) state.xmm[i] = xmm(i);
  return state;
}

void EngineContext::set_legacy_state(const ExtendedState& state) {
  set_register_value(UC_X86_REG_FPCW, state.fcw);
  set_register_value(UC_X86_REG_FPSW, state.fsw);  // with TOP, which ST0..7 count from
  set_register_value(UC_X86_REG_FOP, state.fop);
  set_register_value(UC_X86_REG_FIP, state.fip);
  set_register_value(UC_X86_REG_FDP, state.fdp);
  std::uint16_t tags = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (!(state.ftw >> i & 1)) tags |= static_cast<std::uint16_t>(kEmptyTag << (2 * i));
  set_register_value(UC_X86_REG_FPTAG, tags);
  for (unsigned i = 0; i < 8; ++i) set_register_value(UC_X86_REG_ST0 + static_cast<int>(i), state.st[i]);
  set_register_value(UC_X86_REG_MXCSR, state.mxcsr);
  for (unsigned i = 0; i < state.xmm.size(); ++i) set_xmm(i, state.xmm[i]);
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
