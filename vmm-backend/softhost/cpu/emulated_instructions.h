// SPDX-License-Identifier: GPL-2.0-or-later
// The list of instructions that the emulated processor has and the engine lacks or does differently.
#pragma once

#include <cstdint>
#include <optional>

#include "softhost/cpu/instruction_bytes.h"

namespace virttdx::softhost {

enum class Emulated : std::uint8_t {
  Invpcid,
  Movdiri,
  Movdir64b,
  Sha,
  Sha1Rounds,
  Xgetbv,
  Xsetbv,
  Xsave,
  Xsaveopt,
  Xsavec,
  Xsaves,
  Xrstor,
  Xrstors,
};

/// Which of them an instruction is; nothing: none (and so #UD).
std::optional<Emulated> emulated_instruction(const Instruction& instruction);

}  // namespace virttdx::softhost
