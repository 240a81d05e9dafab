// SPDX-License-Identifier: GPL-2.0-or-later
// Where a ModRM memory operand is (Intel SDM volume 2, 2.1.5 and 2.2.1).
#pragma once

#include <cstdint>
#include <span>

#include "softhost/cpu/engine_context.h"
#include "softhost/cpu/instruction_bytes.h"

namespace virttdx::softhost {

struct MemoryOperand {
  std::uint64_t offset = 0;  ///< effective address within the segment, of the address size's width
  SegmentIndex segment = SegmentIndex::Ds;
};

/// DS, or what a segment override prefix names.
SegmentIndex data_segment(const Instruction& instruction);

/// Of an instruction with ModRM whose mod is not 3. `gpr` in x86 encoding order; `next_rip` is the address of
/// the following instruction, for RIP-relative operands.
MemoryOperand memory_operand(const Instruction& instruction, CodeSize size,
                             std::span<const std::uint64_t, 16> gpr, std::uint64_t next_rip);

}  // namespace virttdx::softhost
