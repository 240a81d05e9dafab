// SPDX-License-Identifier: GPL-2.0-or-later
// Exceptions as an operating system meets them: from user mode, by INT3, by single steps.
#include "micro_guest.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t kUser = 0x30000, kUserStack = 0x3f000;

/// Starts at CPL 3 in `code` with RFLAGS of `flags`; the handler of `vector` ends the guest.
class UserGuest : public MicroGuest {
 public:
  UserGuest(std::uint8_t vector, std::initializer_list<int> code, std::uint64_t flags = 2,
            unsigned gate = 0x8e)
      : MicroGuest(true) {
    put_gate(*this, vector, kHandler, 0, gate);
    put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
    put(kUser, code);
    SystemRegisters state = long_mode_state(*this);
    // Pages of 4 KiB below 2 MiB; the first 128 KiB are the kernel's.
    put_value<std::uint64_t>(0x3000, 0xb007);
    for (std::uint64_t page = 0; page < 256; ++page)
      put_value<std::uint64_t>(0xb000 + page * 8, page << 12 | (page < 0x30 ? 3 : 7));
    state.cs = {.base = 0, .limit = 0xffffffff, .selector = 0x1b, .access_rights = 0xa0fb};
    state.ss = {.base = 0, .limit = 0xffffffff, .selector = 0x23, .access_rights = 0xc0f3};
    state.efer |= 0x800;
    engine().set_system_registers(state);
    Registers start = start_at(kUser, kUserStack);
    start.rflags = flags;
    start.gpr[kRbx] = 0x38000;
    engine().set_registers(start);
  }
  /// What was pushed on the stack of the TSS, lowest first.
  std::uint64_t pushed(std::uint64_t rsp, unsigned index) const {
    return value_at<std::uint64_t>(rsp + index * 8);
  }
};

}  // namespace

TEST(Exceptions, PageFaultsFromUserModeTellTheUserBit) {
  struct Row {
    std::initializer_list<int> code;
    std::uint64_t error, address;
  };
  const Row rows[] = {
      {{0x8b, 0x04, 0x25, 0x10, 0x00, 0x01, 0x00}, 5, 0x10010},     // mov eax, [0x10010]: the kernel's
      {{0x89, 0x04, 0x25, 0x10, 0x00, 0x01, 0x00}, 7, 0x10010},     // mov [0x10010], eax
      {{0x89, 0x04, 0x25, 0x10, 0x00, 0x40, 0x00}, 6, 0x400010},    // mov [0x400010], eax: not present
      {{0xb8, 0x00, 0x00, 0x01, 0x00, 0xff, 0xe0}, 0x15, 0x10000},  // mov eax, 0x10000; jmp rax
  };
  for (const Row& row : rows) {
    UserGuest guest(14, row.code);
    const Registers end = guest.run_until_exit();
    EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), row.error);
    EXPECT_EQ(guest.engine().system_registers().cr2, row.address);
    EXPECT_EQ(end.gpr[kRsp], 0x9000U - 48);
    EXPECT_EQ(guest.pushed(end.gpr[kRsp], 2), 0x1bU);
    EXPECT_EQ(guest.pushed(end.gpr[kRsp], 4), kUserStack);
    EXPECT_EQ(guest.pushed(end.gpr[kRsp], 5), 0x23U);
  }
}

TEST(Exceptions, ExecutingANoExecutePageIsAPageFault) {
  UserGuest guest(14, {0xff, 0xe3});  // jmp rbx
  guest.put_value<std::uint64_t>(0xb000 + 0x38 * 8, 0x8000000000038007);
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), 0x15U);
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 1), 0x38000U);
}

TEST(Exceptions, PrivilegedInstructionsInUserModeAreGeneralProtectionFaults) {
  for (const auto& code : {std::initializer_list<int>{0xf4},  // hlt
                           {0x0f, 0x30},                      // wrmsr
                           {0x0f, 0x22, 0xd8},                // mov cr3, rax
                           {0x0f, 0x01, 0x3b},                // invlpg [rbx]
                           {0x66, 0x0f, 0x01, 0xcc},          // tdcall
                           {0xee}}) {                         // out dx, al
    UserGuest guest(13, code);
    const Registers end = guest.run_until_exit();
    EXPECT_EQ(guest.td_calls, 1);
    EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), 0U);
    EXPECT_EQ(guest.pushed(end.gpr[kRsp], 1), kUser);
  }
}

TEST(Exceptions, CpuidInUserModeCanBeAVirtualizationException) {
  UserGuest guest(20, {0xb8, 0x00, 0x00, 0x00, 0x40, 0x0f, 0xa2});  // mov eax, 0x40000000; cpuid
  const Registers end = guest.run_until_exit();
  ASSERT_EQ(guest.ve_infos.size(), 1U);
  EXPECT_EQ(end.gpr[kRsp], 0x9000U - 40);
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), kUser + 5);
}

TEST(Exceptions, Int3PushesTheNextInstructionAndNeedsTheGatesPrivilege) {
  UserGuest allowed(3, {0xcc, 0x90}, 2, 0xee);
  EXPECT_EQ(allowed.pushed(allowed.run_until_exit().gpr[kRsp], 0), kUser + 1);
  UserGuest refused(13, {0xcc, 0x90});
  put_gate(refused, 3, 0x28000);
  const Registers end = refused.run_until_exit();
  EXPECT_EQ(refused.pushed(end.gpr[kRsp], 0), 3U * 8 + 2);
  EXPECT_EQ(refused.pushed(end.gpr[kRsp], 1), kUser);
}

void expect_one_step(std::initializer_list<int> code, unsigned length) {
  UserGuest guest(1, code, 0x102);
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), kUser + length);
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 2) & 0x100, 0x100U);
  EXPECT_EQ(end.rflags & 0x100, 0U);
}

TEST(Exceptions, TrapFlagStepsOverEachInstructionEmulatedOrNot) {
  expect_one_step({0x90, 0x90}, 1);
  expect_one_step({0x0f, 0xa2, 0x90}, 2);              // cpuid
  expect_one_step({0x0f, 0x38, 0xf9, 0x03, 0x90}, 4);  // movdiri [rbx], eax
}

TEST(Exceptions, EmulatedInstructionsFaultAsTheEnginesDo) {
  UserGuest guest(14, {0x0f, 0x38, 0xf9, 0x04, 0x25, 0x10, 0x00, 0x01, 0x00});  // movdiri [0x10010], eax
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), 7U);
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 1), kUser);
  EXPECT_EQ(guest.engine().system_registers().cr2, 0x10010U);
}

TEST(Exceptions, CodeChangedThroughAnotherLinearAddressRunsChanged) {
  UserGuest guest(3,
                  {0xff, 0xd3,        // call rbx
                   0xc6, 0x07, 0x2a,  // mov byte [rdi], 42: the same page
                   0xff, 0xd3,        // call rbx
                   0xcc},
                  2, 0xee);                      // int3
  guest.put(0x38000, {0xb8, 1, 0, 0, 0, 0xc3});  // mov eax, 1; ret
  guest.put_value<std::uint64_t>(0xb000 + 0x50 * 8, 0x8000000000038007);
  Registers start = guest.engine().registers();
  start.gpr[kRdi] = 0x50001;
  guest.engine().set_registers(start);
  EXPECT_EQ(guest.run_until_exit().gpr[kRax], 42U);
}

TEST(Exceptions, RepeatedStringStopsAtTheFaultingPageWithItsCountLeft) {
  UserGuest guest(14, {0xf3, 0xaa});  // rep stosb
  guest.put_value<std::uint64_t>(0xb000 + 0x39 * 8, 0);
  Registers start = guest.engine().registers();
  start.gpr[kRdi] = 0x38f00;
  start.gpr[kRcx] = 0x200;
  guest.engine().set_registers(start);
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(end.gpr[kRcx], 0x100U);
  EXPECT_EQ(end.gpr[kRdi], 0x39000U);
  EXPECT_EQ(guest.pushed(end.gpr[kRsp], 0), 6U);
}

}  // namespace virttdx::softhost
