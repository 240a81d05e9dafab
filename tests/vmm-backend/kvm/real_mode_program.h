// SPDX-License-Identifier: GPL-2.0-or-later
// Random real-mode programs that end: straight-line instructions whose results and flags are defined, and
// HLT.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <vector>

namespace virttdx {

/// An instruction's bytes and their disassembly.
struct RealModeInstruction {
  const char* text;
  std::vector<std::uint8_t> bytes;
};

struct RealModeProgram {
  std::vector<std::size_t> choice;  ///< indexes of instructions()

  static const std::vector<RealModeInstruction>& instructions();
  /// At most 0xF0 bytes; HLT follows in memory.
  std::vector<std::uint8_t> bytes() const;
  std::string text() const;
};

rc::Gen<RealModeProgram> any_real_mode_program();

}  // namespace virttdx
