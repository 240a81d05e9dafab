// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/memory_operand.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace virttdx::softhost {

namespace {

MemoryOperand operand_of(const std::vector<int>& code, CodeSize size) {
  std::array<std::byte, kMaximumInstructionLength> bytes{};
  for (std::size_t i = 0; i < code.size(); ++i) bytes[i] = static_cast<std::byte>(code[i]);
  const Instruction instruction = decode(bytes, size);
  EXPECT_TRUE(instruction.valid);
  EXPECT_EQ(instruction.immediate_at, code.size());
  std::array<std::uint64_t, 16> gpr;
  for (std::size_t i = 0; i < gpr.size(); ++i) gpr[i] = (i + 1) * 0x100000001000ULL;
  return memory_operand(instruction, size, gpr, 0x400000);
}

constexpr std::uint64_t value_of(unsigned gpr) { return (gpr + 1) * 0x100000001000ULL; }

}  // namespace

TEST(MemoryOperand, FollowsModrmAndSib) {
  using enum CodeSize;
  EXPECT_EQ(operand_of({0x8b, 0x03}, Bits64).offset, value_of(kRbx));                      // [rbx]
  EXPECT_EQ(operand_of({0x8b, 0x43, 0xf8}, Bits64).offset, value_of(kRbx) - 8);            // [rbx-8]
  EXPECT_EQ(operand_of({0x8b, 0x83, 0, 1, 0, 0}, Bits64).offset, value_of(kRbx) + 0x100);  // [rbx+0x100]
  EXPECT_EQ(operand_of({0x8b, 0x05, 0x10, 0, 0, 0}, Bits64).offset, 0x400010U);            // [rip+0x10]
  EXPECT_EQ(operand_of({0x8b, 0x04, 0x25, 0x10, 0, 0, 0}, Bits64).offset, 0x10U);          // [0x10]
  EXPECT_EQ(operand_of({0x8b, 0x44, 0x8b, 4}, Bits64).offset,
            value_of(kRbx) + value_of(kRcx) * 4 + 4);  // [rbx+rcx*4+4]
  EXPECT_EQ(operand_of({0x43, 0x8b, 0x04, 0xe3}, Bits64).offset,
            value_of(kR11) + value_of(kR12) * 8);                                         // [r11+r12*8]
  EXPECT_EQ(operand_of({0x8b, 0x04, 0x24}, Bits64).offset, value_of(kRsp));               // [rsp]
  EXPECT_EQ(operand_of({0x67, 0x8b, 0x03}, Bits64).offset, value_of(kRbx) & 0xffffffff);  // [ebx]
  EXPECT_EQ(operand_of({0x8b, 0x05, 0x10, 0, 0, 0}, Bits32).offset, 0x10U);               // [0x10]
  EXPECT_EQ(operand_of({0x8b, 0x42, 0xff}, Bits16).offset,
            (value_of(kRbp) + value_of(kRsi) - 1) & 0xffff);                // [bp+si-1]
  EXPECT_EQ(operand_of({0x8b, 0x06, 0x34, 0x12}, Bits16).offset, 0x1234U);  // [0x1234]
}

TEST(MemoryOperand, HasTheSegmentOfItsBaseOrPrefix) {
  using enum CodeSize;
  EXPECT_EQ(operand_of({0x8b, 0x03}, Bits64).segment, SegmentIndex::Ds);
  EXPECT_EQ(operand_of({0x8b, 0x45, 0}, Bits64).segment, SegmentIndex::Ss);        // [rbp]
  EXPECT_EQ(operand_of({0x41, 0x8b, 0x45, 0}, Bits64).segment, SegmentIndex::Ds);  // [r13]
  EXPECT_EQ(operand_of({0x65, 0x8b, 0x03}, Bits64).segment, SegmentIndex::Gs);
  EXPECT_EQ(operand_of({0x26, 0x8b, 0x45, 0}, Bits32).segment, SegmentIndex::Es);
  EXPECT_EQ(operand_of({0x8b, 0x46, 0}, Bits16).segment, SegmentIndex::Ss);  // [bp]
}

}  // namespace virttdx::softhost
