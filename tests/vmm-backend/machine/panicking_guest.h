// SPDX-License-Identifier: GPL-2.0-or-later
// A guest that goes to 64-bit mode and says TDVMCALL<ReportFatalError> (GHCI): a TDVF image made by hand.
#pragma once

#include "long_mode.h"
#include "tdvf_image.h"

namespace virttdx::test {

/// Error code 0x12, data at GPA 0x123000, text "disk on fire!".
inline TdvfImage panicking_guest() {
  TdvfImage image;
  enter_64_bit_mode(image);
  image.put_bytes(0x1140,
                  {
                      0x41, 0xBB, 0x03, 0x00, 0x01, 0x00,                          // mov $0x10003, %r11d
                      0x49, 0xBC, 0x12, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,  // movabs code, %r12
                      0x49, 0xBD, 0x00, 0x30, 0x12, 0x00, 0x00, 0x00, 0x00, 0x00,  // movabs GPA, %r13
                      0x49, 0xBE, 'd',  'i',  's',  'k',  ' ',  'o',  'n',  ' ',   // movabs text, %r14
                      0x49, 0xBF, 'f',  'i',  'r',  'e',  '!',  0x00, 0x00, 0x00,  // movabs text, %r15
                      0x45, 0x31, 0xD2, 0x31, 0xC0,  // xor %r10d, %r10d; xor %eax, %eax
                      0xB9, 0x00, 0xFC, 0x00, 0x00,  // mov $0xfc00, %ecx
                      0x66, 0x0F, 0x01, 0xCC,        // tdcall
                      0xEB, 0xFE,                    // jmp .
                  });
  return image.put_bytes(0x1FF0, {0xE9, 0x0B, 0xF0, 0xFF, 0xFF});  // jmp 0xfffff000
}

}  // namespace virttdx::test
