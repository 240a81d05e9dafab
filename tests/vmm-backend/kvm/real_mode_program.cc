// SPDX-License-Identifier: GPL-2.0-or-later
#include "real_mode_program.h"

#include <algorithm>

namespace virttdx {

// Each row ends where it began or behind itself, so that every program ends. 0x8000 is without memory.
const std::vector<RealModeInstruction>& RealModeProgram::instructions() {
  static const std::vector<RealModeInstruction> all = {
      {"hlt", {0xF4}},
      {"nop", {0x90}},
      {"mov al, 0x42", {0xB0, 0x42}},
      {"mov ax, 0x1234", {0xB8, 0x34, 0x12}},
      {"mov eax, 0x89ABCDEF", {0x66, 0xB8, 0xEF, 0xCD, 0xAB, 0x89}},
      {"mov bx, ax", {0x89, 0xC3}},
      {"mov cx, 3", {0xB9, 0x03, 0x00}},
      {"mov dx, 0x3F8", {0xBA, 0xF8, 0x03}},
      {"mov si, 0x1800", {0xBE, 0x00, 0x18}},
      {"mov di, 0x1810", {0xBF, 0x10, 0x18}},
      {"mov ah, 0x80", {0xB4, 0x80}},
      {"add ax, bx", {0x01, 0xD8}},
      {"sub eax, 1", {0x66, 0x83, 0xE8, 0x01}},
      {"add al, 0x7F", {0x04, 0x7F}},
      {"xor bx, bx", {0x31, 0xDB}},
      {"inc cx", {0x41}},
      {"neg ax", {0xF7, 0xD8}},
      {"adc bx, ax", {0x11, 0xC3}},
      {"stc", {0xF9}},
      {"std", {0xFD}},
      {"cld", {0xFC}},
      {"push ax", {0x50}},
      {"pop bx", {0x5B}},
      {"jz 1f; nop; 1:", {0x74, 0x01, 0x90}},
      {"jc 1f; inc cx; inc cx; 1:", {0x72, 0x02, 0x41, 0x41}},
      {"out 0x10, al", {0xE6, 0x10}},
      {"out 0x7E, al", {0xE6, 0x7E}},
      {"out dx, ax", {0xEF}},
      {"out dx, eax", {0x66, 0xEF}},
      {"in al, 0x11", {0xE4, 0x11}},
      {"in ax, dx", {0xED}},
      {"in eax, dx", {0x66, 0xED}},
      {"insb", {0x6C}},
      {"outsw", {0x6F}},
      {"rep outsb", {0xF3, 0x6E}},
      {"mov al, [0x8000]", {0xA0, 0x00, 0x80}},
      {"mov ah, [0x8001]", {0x8A, 0x26, 0x01, 0x80}},
      {"mov bx, [0x8002]", {0x8B, 0x1E, 0x02, 0x80}},
      {"mov ebx, [0x8004]", {0x66, 0x8B, 0x1E, 0x04, 0x80}},
      {"movzx ecx, byte [0x8008]", {0x66, 0x0F, 0xB6, 0x0E, 0x08, 0x80}},
      {"movsx ecx, word [0x800A]", {0x66, 0x0F, 0xBF, 0x0E, 0x0A, 0x80}},
      {"mov [0x8010], al", {0xA2, 0x10, 0x80}},
      {"mov [0x8012], bx", {0x89, 0x1E, 0x12, 0x80}},
      {"mov byte [0x8014], 0x99", {0xC6, 0x06, 0x14, 0x80, 0x99}},
      {"mov word [0x8016], 0x8877", {0xC7, 0x06, 0x16, 0x80, 0x77, 0x88}},
      {"mov [0x1820], ax", {0xA3, 0x20, 0x18}},
      {"mov ax, [0x1820]", {0xA1, 0x20, 0x18}},
      {"lidt [0x1E00]; ud2", {0x0F, 0x01, 0x1E, 0x00, 0x1E, 0x0F, 0x0B}},
      {"jmp 0:0x9000", {0xEA, 0x00, 0x90, 0x00, 0x00}},
  };
  return all;
}

std::vector<std::uint8_t> RealModeProgram::bytes() const {
  std::vector<std::uint8_t> result;
  for (const std::size_t index : choice) {
    const auto& bytes = instructions()[index].bytes;
    if (result.size() + bytes.size() > 0xF0) break;
    result.insert(result.end(), bytes.begin(), bytes.end());
  }
  return result;
}

std::string RealModeProgram::text() const {
  std::string result;
  for (const std::size_t index : choice) result += std::string("\n  ") + instructions()[index].text;
  return result;
}

rc::Gen<RealModeProgram> any_real_mode_program() {
  return rc::gen::map(rc::gen::container<std::vector<std::size_t>>(
                          rc::gen::inRange<std::size_t>(0, RealModeProgram::instructions().size())),
                      [](std::vector<std::size_t> choice) { return RealModeProgram{std::move(choice)}; });
}

}  // namespace virttdx
