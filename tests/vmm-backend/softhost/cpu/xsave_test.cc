// SPDX-License-Identifier: GPL-2.0-or-later
// XSAVE's family in micro guests. Expectations are those of Intel SDM volume 1, chapter 13.
#include "micro_guest.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t kArea = 0x30000;
constexpr std::uint64_t kXstateBvAt = 512, kXcompBvAt = 520, kMxcsrAt = 24, kXmm1At = 176;

/// XCR0 = x87 and SSE; RBX = the area, EDX:EAX = all components; #UD, #NM and #GP put their vector in R15.
class XsaveGuest : public MicroGuest {
 public:
  explicit XsaveGuest(std::uint64_t cr4 = 0x40620) : MicroGuest(true) {
    SystemRegisters state = long_mode_state(*this);
    state.cr4 = cr4;
    engine().set_system_registers(state);
    for (const int vector : {6, 7, 13}) {
      const std::uint64_t handler = kHandler + static_cast<unsigned>(vector) * 0x10;
      put_gate(*this, static_cast<unsigned>(vector), handler);
      put(handler, {0x41, 0xbf, vector, 0, 0, 0, 0x66, 0x0f, 0x01, 0xcc});  // mov r15d, vector; tdcall
    }
    registers = start_at(kCode);
    registers.gpr[kRbx] = kArea;
    registers.gpr[kRax] = registers.gpr[kRdx] = 0xffffffff;
  }
  Registers run(std::initializer_list<int> code) {
    engine().invalidate(kCode, 0x1000);  // this program replaces the one before
    put(kCode, code);
    put(kCode + code.size(), {0x66, 0x0f, 0x01, 0xcc});
    registers.rip = kCode;
    engine().set_registers(registers);
    return run_until_exit();
  }
  void enable_all() {
    registers.gpr[kRcx] = 0;
    const std::uint64_t rax = std::exchange(registers.gpr[kRax], 3),
                        rdx = std::exchange(registers.gpr[kRdx], 0);
    EXPECT_EQ(run({0x0f, 0x01, 0xd1}).gpr[kR15], 0U);  // xsetbv
    registers.gpr[kRax] = rax;
    registers.gpr[kRdx] = rdx;
  }

  Registers registers;
};

}  // namespace

TEST(Xsave, CompactedAreaBringsRegistersBack) {
  XsaveGuest guest;
  guest.enable_all();
  guest.registers.gpr[kRsi] = 0x1122334455667788;
  guest.run({0x66, 0x48, 0x0f, 0x6e, 0xce,  // movq xmm1, rsi
             0xd9, 0xe8,                    // fld1
             0x0f, 0xc7, 0x2b,              // xsaves [rbx]
             0x66, 0x0f, 0xef, 0xc9,        // pxor xmm1, xmm1
             0xdb, 0xe3});                  // fninit
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXstateBvAt), 3U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXcompBvAt), 0x8000000000000003U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXmm1At), 0x1122334455667788U);
  EXPECT_EQ(guest.value_at<std::uint16_t>(kArea + 40), 0x3fff);   // ST0 = 1.0: exponent
  EXPECT_EQ(guest.value_at<std::uint8_t>(kArea + 4), 0x80);       // abridged tag: R7 in use
  const Registers end = guest.run({0x0f, 0xc7, 0x1b,              // xrstors [rbx]
                                   0x66, 0x48, 0x0f, 0x7e, 0xcf,  // movq rdi, xmm1
                                   0xdd, 0x1c, 0x24});            // fstp qword [rsp]
  EXPECT_EQ(end.gpr[kRdi], 0x1122334455667788U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), 0x3ff0000000000000U);
}

TEST(Xsave, ComponentsInTheirInitialStateAreNotWritten) {
  XsaveGuest guest;
  guest.enable_all();
  for (std::uint64_t at = 0; at < 576; at += 8)
    guest.put_value<std::uint64_t>(kArea + at, 0xa5a5a5a5a5a5a5a5);
  guest.run({0x66, 0x0f, 0xef, 0xc0,  // pxor xmm0, xmm0
             0xdb, 0xe3,              // fninit
             0x0f, 0xc7, 0x23});      // xsavec [rbx]
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXstateBvAt), 0U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXcompBvAt), 0x8000000000000003U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXmm1At), 0xa5a5a5a5a5a5a5a5U);
  EXPECT_EQ(guest.value_at<std::uint32_t>(kArea + kMxcsrAt), 0xa5a5a5a5U);
}

TEST(Xsave, StandardAreaKeepsOtherComponentsBits) {
  XsaveGuest guest;
  guest.enable_all();
  guest.put_value<std::uint64_t>(kArea + kXstateBvAt, 5);
  guest.registers.gpr[kRax] = 2;
  guest.registers.gpr[kRsi] = 7;
  guest.run({0x66, 0x48, 0x0f, 0x6e, 0xce,  // movq xmm1, rsi
             0x0f, 0xae, 0x23});            // xsave [rbx]
  EXPECT_EQ(guest.value_at<std::uint64_t>(kArea + kXstateBvAt), 7U);
  EXPECT_EQ(guest.value_at<std::uint32_t>(kArea + kMxcsrAt), 0x1f80U);
  EXPECT_EQ(guest.value_at<std::uint16_t>(kArea), 0);  // x87 was not asked for
}

TEST(Xsave, RestoringAnAbsentComponentInitializesIt) {
  XsaveGuest guest;
  guest.enable_all();
  guest.registers.gpr[kRsi] = 7;
  guest.put_value<std::uint32_t>(kArea + kMxcsrAt, 0x1f80);
  const Registers end = guest.run({0x66, 0x48, 0x0f, 0x6e, 0xce,    // movq xmm1, rsi
                                   0x0f, 0xae, 0x2b,                // xrstor [rbx]
                                   0x66, 0x48, 0x0f, 0x7e, 0xcf});  // movq rdi, xmm1
  EXPECT_EQ(end.gpr[kRdi], 0U);
}

TEST(Xsave, RefusesBadHeadersAreasAndMxcsr) {
  struct Row {
    std::uint64_t at, value;
    std::initializer_list<int> code;
  };
  const std::initializer_list<int> xrstor = {0x0f, 0xae, 0x2b}, xrstors = {0x0f, 0xc7, 0x1b};
  const Row rows[] = {
      {kXstateBvAt, 4, xrstor},      // a component outside of XCR0
      {kXcompBvAt, 1, xrstor},       // XCOMP_BV without its top bit
      {kXcompBvAt + 8, 1, xrstor},   // reserved
      {kMxcsrAt, 0x10000, xrstor},   // a reserved bit of MXCSR
      {kXcompBvAt, 0, xrstors},      // not compacted
      {kXcompBvAt, kArea, xrstors},  // components outside of XCR0 | XSS
  };
  for (const Row& row : rows) {
    XsaveGuest guest;
    guest.enable_all();
    guest.put_value<std::uint32_t>(kArea + kMxcsrAt, 0x1f80);
    guest.put_value(kArea + row.at, row.value);
    EXPECT_EQ(guest.run(row.code).gpr[kR15], 13U) << row.at << " = " << row.value;
  }
  XsaveGuest guest;
  guest.enable_all();
  guest.registers.gpr[kRbx] = kArea + 8;
  EXPECT_EQ(guest.run({0x0f, 0xae, 0x23}).gpr[kR15], 13U);
}

TEST(Xsave, WithoutOsxsaveIsAnInvalidOpcode) {
  for (const auto& code :
       {std::initializer_list<int>{0x0f, 0xae, 0x23}, {0x0f, 0x01, 0xd0}, {0x0f, 0x01, 0xd1}}) {
    XsaveGuest guest(0x620);
    EXPECT_EQ(guest.run(code).gpr[kR15], 6U);
  }
}

TEST(Xsave, XsetbvRefusesWhatTheProcessorLacks) {
  for (const std::uint64_t value : {0x0U, 0x2U, 0x7U, 0x203U}) {
    XsaveGuest guest;
    guest.registers.gpr[kRcx] = 0;
    guest.registers.gpr[kRax] = value;
    guest.registers.gpr[kRdx] = 0;
    EXPECT_EQ(guest.run({0x0f, 0x01, 0xd1}).gpr[kR15], 13U) << value;
  }
}

TEST(Xsave, XgetbvTellsXcr0AndWhatIsInUse) {
  XsaveGuest guest;
  guest.enable_all();
  guest.registers.gpr[kRcx] = 0;
  EXPECT_EQ(guest.run({0x0f, 0x01, 0xd0}).gpr[kRax], 3U);
  guest.registers.gpr[kRcx] = 1;
  EXPECT_EQ(guest.run({0xdb, 0xe3, 0x0f, 0x01, 0xd0}).gpr[kRax], 0U);  // fninit; xgetbv
  EXPECT_EQ(guest.run({0xd9, 0xe8, 0x0f, 0x01, 0xd0}).gpr[kRax], 1U);  // fld1; xgetbv
}

}  // namespace virttdx::softhost
