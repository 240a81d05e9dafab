// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/emulated_instructions.h"

#include <array>

namespace virttdx::softhost {

namespace {

enum class Operand : std::uint8_t { Memory, Any, Fixed };

/// An opcode of SDM volume 2: its map, mandatory prefix, byte, ModRM and what ModRM may name.
struct Row {
  Emulated what;
  std::uint8_t map;
  bool needs_66;
  std::uint8_t first, last;
  Operand operand;
  std::uint8_t modrm;  ///< Memory: the reg field or kAnyReg; Fixed: the whole byte
};
constexpr std::uint8_t kAnyReg = 0xff;

constexpr std::array kRows = {
    Row{Emulated::Invpcid, 2, true, 0x82, 0x82, Operand::Memory, kAnyReg},
    Row{Emulated::Movdiri, 2, false, 0xf9, 0xf9, Operand::Memory, kAnyReg},
    Row{Emulated::Movdir64b, 2, true, 0xf8, 0xf8, Operand::Memory, kAnyReg},
    Row{Emulated::Sha, 2, false, 0xc8, 0xcd, Operand::Any, kAnyReg},
    Row{Emulated::Sha1Rounds, 3, false, 0xcc, 0xcc, Operand::Any, kAnyReg},
    Row{Emulated::Xgetbv, 1, false, 0x01, 0x01, Operand::Fixed, 0xd0},
    Row{Emulated::Xsetbv, 1, false, 0x01, 0x01, Operand::Fixed, 0xd1},
    Row{Emulated::Xsave, 1, false, 0xae, 0xae, Operand::Memory, 4},
    Row{Emulated::Xrstor, 1, false, 0xae, 0xae, Operand::Memory, 5},
    Row{Emulated::Xsaveopt, 1, false, 0xae, 0xae, Operand::Memory, 6},
    Row{Emulated::Xrstors, 1, false, 0xc7, 0xc7, Operand::Memory, 3},
    Row{Emulated::Xsavec, 1, false, 0xc7, 0xc7, Operand::Memory, 4},
    Row{Emulated::Xsaves, 1, false, 0xc7, 0xc7, Operand::Memory, 5},
};

bool operand_fits(const Row& row, const Instruction& instruction) {
  const bool is_memory = instruction.mod() != 3;
  if (row.operand == Operand::Fixed) return instruction.modrm == row.modrm;
  if (row.operand == Operand::Memory && !is_memory) return false;
  return row.modrm == kAnyReg || (instruction.modrm >> 3 & 7) == row.modrm;
}

}  // namespace

std::optional<Emulated> emulated_instruction(const Instruction& instruction) {
  if (!instruction.valid || instruction.lock || instruction.repeat != 0) return std::nullopt;
  for (const Row& row : kRows) {
    const bool opcode_fits =
        instruction.map == row.map && instruction.opcode >= row.first && instruction.opcode <= row.last;
    if (opcode_fits && instruction.operand_size_prefix == row.needs_66 && operand_fits(row, instruction))
      return row.what;
  }
  return std::nullopt;
}

}  // namespace virttdx::softhost
