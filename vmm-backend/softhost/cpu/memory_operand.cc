// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/memory_operand.h"

#include <array>

namespace virttdx::softhost {

namespace {

using Gpr16 = std::span<const std::uint64_t, 16>;

/// SDM volume 2, table 2-1: the pairs of 16-bit addressing.
std::uint64_t address_16(const Instruction& instruction, Gpr16 gpr, bool& uses_stack) {
  const unsigned rm = instruction.modrm & 7;
  uses_stack = rm == 2 || rm == 3 || (rm == 6 && instruction.mod() != 0);
  std::uint64_t address = static_cast<std::uint64_t>(std::int64_t{instruction.displacement});
  if (rm == 0 || rm == 1 || rm == 7) address += gpr[kRbx];
  if (uses_stack) address += gpr[kRbp];
  if (rm == 0 || rm == 2 || rm == 4) address += gpr[kRsi];
  if (rm == 1 || rm == 3 || rm == 5) address += gpr[kRdi];
  return address;
}

/// 32-bit and 64-bit addressing.
std::uint64_t address_wide(const Instruction& instruction, Gpr16 gpr, std::uint64_t rip, bool& uses_stack) {
  std::uint64_t address = static_cast<std::uint64_t>(std::int64_t{instruction.displacement});
  const unsigned low_base = instruction.has_sib ? instruction.sib & 7U : instruction.modrm & 7U;
  const bool without_base = instruction.mod() == 0 && low_base == 5;
  if (without_base && !instruction.has_sib) return address + rip;
  const unsigned base = low_base | (instruction.rex & 1U) << 3;
  uses_stack = !without_base && (base == kRsp || base == kRbp);
  if (!without_base) address += gpr[base];
  const unsigned index = (instruction.sib >> 3 & 7U) | (instruction.rex & 2U) << 2;
  if (instruction.has_sib && index != kRsp) address += gpr[index] << (instruction.sib >> 6);
  return address;
}

}  // namespace

SegmentIndex data_segment(const Instruction& instruction) {
  switch (instruction.segment) {
    case 0x26:
      return SegmentIndex::Es;
    case 0x2e:
      return SegmentIndex::Cs;
    case 0x36:
      return SegmentIndex::Ss;
    case 0x64:
      return SegmentIndex::Fs;
    case 0x65:
      return SegmentIndex::Gs;
    default:
      return SegmentIndex::Ds;
  }
}

MemoryOperand memory_operand(const Instruction& instruction, CodeSize size, Gpr16 gpr,
                             std::uint64_t next_rip) {
  const unsigned address_size = instruction.address_size(size);
  bool uses_stack = false;
  const std::uint64_t rip = size == CodeSize::Bits64 ? next_rip : 0;
  MemoryOperand operand;
  operand.offset = address_size == 2 ? address_16(instruction, gpr, uses_stack)
                                     : address_wide(instruction, gpr, rip, uses_stack);
  if (address_size < 8) operand.offset &= (1ULL << (8 * address_size)) - 1;
  operand.segment = uses_stack ? SegmentIndex::Ss : SegmentIndex::Ds;
  if (instruction.segment != 0) operand.segment = data_segment(instruction);
  return operand;
}

}  // namespace virttdx::softhost
