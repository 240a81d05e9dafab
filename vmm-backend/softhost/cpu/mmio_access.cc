// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses of an ordinary VM to guest-physical addresses without memory: the moves that drivers use are
// completed through CpuEnvironment::mmio(). The engine is outside of uc_emu_start().
#include <array>
#include <cstring>

#include "softhost/cpu/register_value.h"
#include "softhost/cpu/unicorn_engine.h"
#include "softhost/cpu/x86_spec.h"

namespace virttdx::softhost {

namespace {

/// A move between a register or an immediate and memory.
struct Move {
  std::uint8_t map, opcode;
  bool is_write;
  std::uint8_t memory_size;  ///< 0: the operand size
  bool has_immediate, sign_extends;
  bool uses_accumulator;  ///< A0..A3: no ModRM, an address behind the opcode
};

constexpr std::array kMoves = {
    Move{0, 0x88, true, 1, false, false, false},  Move{0, 0x89, true, 0, false, false, false},
    Move{0, 0x8a, false, 1, false, false, false}, Move{0, 0x8b, false, 0, false, false, false},
    Move{0, 0xa0, false, 1, false, false, true},  Move{0, 0xa1, false, 0, false, false, true},
    Move{0, 0xa2, true, 1, false, false, true},   Move{0, 0xa3, true, 0, false, false, true},
    Move{0, 0xc6, true, 1, true, false, false},   Move{0, 0xc7, true, 0, true, false, false},
    Move{1, 0xb6, false, 1, false, false, false}, Move{1, 0xb7, false, 2, false, false, false},
    Move{1, 0xbe, false, 1, false, true, false},  Move{1, 0xbf, false, 2, false, true, false},
};

const Move* find_move(const Instruction& instruction) {
  for (const Move& move : kMoves)
    if (instruction.is(move.map, move.opcode)) return &move;
  return nullptr;
}

/// AH, CH, DH and BH are encoded as 4..7 when there is no REX prefix.
bool is_high_byte(const Instruction& instruction, unsigned size) {
  return size == 1 && instruction.rex == 0 && instruction.reg() >= 4;
}

}  // namespace

void UnicornEngine::complete_mmio(std::uint64_t gpa, bool is_write) {
  context_.save();
  const Instruction instruction = current_instruction();
  const Move* move = find_move(instruction);
  if (move == nullptr || move->is_write != is_write)
    return fail_with(fmt::format("an access to GPA {:#x} without memory by opcode {:#x} is not emulated", gpa,
                                 instruction.opcode));
  const unsigned operand_size = instruction.operand_size(code_size());
  const unsigned size = move->memory_size != 0 ? move->memory_size : operand_size;
  const unsigned reg = move->uses_accumulator ? unsigned{kRax} : instruction.reg();
  const bool high =
      !move->uses_accumulator && move->memory_size == 1 && move->map == 0 && is_high_byte(instruction, 1);
  const unsigned index = high ? reg - 4 : reg;
  std::size_t length = instruction.immediate_at;
  if (move->uses_accumulator) length += instruction.address_size(code_size());
  std::uint64_t value = high ? context_.gpr(index) >> 8 : context_.gpr(index);
  if (move->has_immediate) {
    const unsigned immediate_size = size == 8 ? 4 : size;
    std::uint64_t immediate = 0;
    std::memcpy(&immediate, instruction_bytes_.data() + length, immediate_size);
    value = sign_extend(immediate, immediate_size);
    length += immediate_size;
  }
  value &= mask_of(size);
  const ReadTarget target{.index = index,
                          .high = high,
                          .size = size,
                          .register_size = move->map == 1 ? operand_size : size,
                          .sign_extends = move->sign_extends};
  const Outcome outcome = environment_.mmio(is_write, gpa, size, value);
  if (outcome != Outcome::Continue) result_ = RunResult::EnvironmentExit;
  if (outcome == Outcome::ExitAndRetry) {
    unfinished_read_ = {target, context_.rip(), length};
    return;
  }
  if (!is_write) store_read(target, value);
  context_.set_rip(context_.rip() + length);
  context_.set_hflags(context_.hflags() & ~hflag::kInhibitIrq);
  context_.restore();
}

}  // namespace virttdx::softhost
