// SPDX-License-Identifier: GPL-2.0-or-later
// As much decoding of an instruction as interception needs: prefixes, opcode, ModRM, length (SDM volume 2,
// chapter 2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace virttdx::softhost {

inline constexpr std::size_t kMaximumInstructionLength = 15;

/// Which default operand and address size the code segment gives.
enum class CodeSize : std::uint8_t { Bits16, Bits32, Bits64 };

struct Instruction {
  bool valid = false;  ///< decoded within the bytes given
  bool operand_size_prefix = false, address_size_prefix = false, lock = false;
  std::uint8_t repeat = 0;   ///< 0xF2, 0xF3 or 0
  std::uint8_t segment = 0;  ///< segment override prefix (0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65) or 0
  std::uint8_t rex = 0;      ///< 0x40..0x4F or 0
  std::uint8_t map = 0;      ///< 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A
  std::uint8_t opcode = 0;
  bool has_modrm = false;
  std::uint8_t modrm = 0;
  bool has_sib = false;
  std::uint8_t sib = 0;
  std::int32_t displacement = 0;
  std::size_t immediate_at = 0;  ///< offset behind opcode, ModRM, SIB and displacement

  unsigned mod() const { return modrm >> 6; }
  unsigned reg() const { return ((modrm >> 3) & 7U) | ((rex & 4U) << 1); }
  unsigned rm() const { return (modrm & 7U) | ((rex & 1U) << 3); }
  bool is(std::uint8_t in_map, std::uint8_t wanted) const {
    return valid && map == in_map && opcode == wanted;
  }
  /// Operand size in bytes of an instruction whose opcode does not say 8 bits.
  unsigned operand_size(CodeSize size) const;
  unsigned address_size(CodeSize size) const;
};

/// Decodes prefixes, opcode and, where the opcode has one, ModRM with its displacement.
Instruction decode(std::span<const std::byte> bytes, CodeSize size);

}  // namespace virttdx::softhost
