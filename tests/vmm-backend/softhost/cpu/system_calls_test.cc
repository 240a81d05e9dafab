// SPDX-License-Identifier: GPL-2.0-or-later
#include <atomic>
#include <thread>

#include "micro_guest.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t kProgram = 0x30000, kEntry = 0x28000;

/// GDT as SYSRET wants it: 0x08 kernel code, 0x10 kernel data, 0x18 user code (32-bit), 0x20 user data,
/// 0x28 user code (64-bit).
SystemRegisters system_call_state(MicroGuest& guest) {
  SystemRegisters state = long_mode_state(guest);
  guest.put_value<std::uint64_t>(0x4018, 0x00cffb000000ffff);
  guest.put_value<std::uint64_t>(0x4028, 0x00affb000000ffff);
  return state;
}

/// Writes an MSR from EDX:EAX constants.
void put_wrmsr(MicroGuest& guest, std::uint64_t at, std::uint32_t index, std::uint64_t value) {
  guest.put(at, {0xb9});  // mov ecx, index
  guest.put_value(at + 1, index);
  guest.put(at + 5, {0xb8});  // mov eax, low
  guest.put_value(at + 6, static_cast<std::uint32_t>(value));
  guest.put(at + 10, {0xba});  // mov edx, high
  guest.put_value(at + 11, static_cast<std::uint32_t>(value >> 32));
  guest.put(at + 15, {0x0f, 0x30});  // wrmsr
}

}  // namespace

TEST(SystemCalls, SyscallAndSysretGoToTheKernelAndBack) {
  MicroGuest guest(true);
  put_wrmsr(guest, kCode, 0xc0000081, 0x001b000800000000);    // STAR
  put_wrmsr(guest, kCode + 17, 0xc0000082, kEntry);           // LSTAR
  put_wrmsr(guest, kCode + 34, 0xc0000084, 0x44701);          // FMASK: CF, TF, IF, DF, NT, AC
  guest.put(kCode + 51, {0xb9, 0x00, 0x00, 0x03, 0x00,        // mov ecx, 0x30000
                         0x41, 0xbb, 0x47, 0x06, 0x00, 0x00,  // mov r11d, 0x647 (CF PF ZF IF DF)
                         0x48, 0x0f, 0x07});                  // sysretq
  guest.put(kProgram, {0x0f, 0x05,                            // syscall
                       0x0f, 0x05});                          // syscall
  guest.put(kEntry, {0x48, 0xff, 0xc3,                        // inc rbx
                     0x9c, 0x5e,                              // pushfq; pop rsi
                     0x83, 0xfb, 0x02,                        // cmp ebx, 2
                     0x74, 0x03,                              // je +3
                     0x48, 0x0f, 0x07,                        // sysretq
                     0x66, 0x0f, 0x01, 0xcc});                // tdcall
  SystemRegisters state = system_call_state(guest);
  guest.engine().set_system_registers(state);
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(end.gpr[kRbx], 2U);
  EXPECT_EQ(end.gpr[kRcx], kProgram + 4);
  EXPECT_EQ(end.gpr[kR11], 0x647U);
  EXPECT_EQ(end.gpr[kRsi] & 0x44701, 0U);
  EXPECT_EQ(end.gpr[kRsp], 0x8000U);
  const SystemRegisters now = guest.engine().system_registers();
  EXPECT_EQ(now.cs.selector, 8);
  EXPECT_EQ(now.ss.selector, 0x10);
  EXPECT_EQ(now.ss.access_rights >> 5 & 3, 0);
}

TEST(SystemCalls, WithoutSceSyscallIsAnInvalidOpcode) {
  MicroGuest guest(true);
  put_gate(guest, 6, kHandler);
  guest.put(kCode, {0x90, 0x0f, 0x05});
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  SystemRegisters state = system_call_state(guest);
  state.efer &= ~1ULL;
  guest.engine().set_system_registers(state);
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), kCode + 1);
}

TEST(SystemCalls, SysenterFromCompatibilityModeEntersA64BitKernel) {
  MicroGuest guest(true);
  put_wrmsr(guest, kCode, 0x174, 8);
  put_wrmsr(guest, kCode + 17, 0x175, 0x9000);
  put_wrmsr(guest, kCode + 34, 0x176, kEntry);
  put_wrmsr(guest, kCode + 51, 0xc0000081, 0x0018000800000000);
  guest.put(kCode + 68, {0xb9, 0x00, 0x00, 0x03, 0x00,        // mov ecx, 0x30000
                         0x41, 0xbb, 0x02, 0x02, 0x00, 0x00,  // mov r11d, 0x202
                         0x0f, 0x07});                        // sysretl
  guest.put(kProgram, {0x31, 0xc0, 0x0f, 0x34});              // xor eax, eax; sysenter
  guest.put(kEntry, {0x9c, 0x5e,                              // pushfq; pop rsi
                     0x66, 0x0f, 0x01, 0xcc});                // tdcall
  guest.engine().set_system_registers(system_call_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(end.rip, kEntry + 6);
  EXPECT_EQ(end.gpr[kRsp], 0x9000U);
  EXPECT_EQ(end.gpr[kRsi] & 0x240, 0x40U);  // ZF as before, IF clear
}

/// The engine skips the hooks of both while it has been told to stop.
TEST(SystemCalls, NeitherSyscallNorRdtscpIsSkippedWhileTheCpuIsAskedToLookForInterrupts) {
  constexpr std::uint32_t kRounds = 100'000;
  MicroGuest guest(true);
  put_wrmsr(guest, kCode, 0xc0000081, 0x001b000800000000);  // STAR
  put_wrmsr(guest, kCode + 17, 0xc0000082, kEntry);         // LSTAR
  guest.put(kCode + 34, {0x0f, 0x01, 0xf9,                  // 1: rdtscp
                         0x3d, 0x88, 0x77, 0x66, 0x55,      // cmp eax, 0x55667788
                         0x75, 0x07,                        // jne out
                         0x0f, 0x05,                        // syscall
                         0x49, 0xff, 0xc9,                  // dec r9
                         0x75, 0xef,                        // jnz 1b
                         0x66, 0x0f, 0x01, 0xcc});          // out: tdcall
  guest.put(kEntry, {0x49, 0xff, 0xc2,                      // inc r10
                     0xff, 0xe1});                          // jmp rcx
  guest.engine().set_system_registers(system_call_state(guest));
  Registers registers = start_at(kCode);
  registers.gpr[kR9] = kRounds;
  guest.engine().set_registers(registers);
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) guest.engine().request_interrupt_check();
  });
  const Registers end = guest.run_until_exit();
  done = true;
  other.join();
  EXPECT_EQ(end.gpr[kR9], 0U);
  EXPECT_EQ(end.gpr[kR10], kRounds);
}

}  // namespace virttdx::softhost
