// SPDX-License-Identifier: GPL-2.0-or-later
// Micro guests on the engine: byte arrays with their disassembly.
#include <thread>

#include "micro_guest.h"

namespace virttdx::softhost {

TEST(CpuEngine, ReachesLongModeFromATdsFirstState) {
  MicroGuest guest(true);
  (void)long_mode_state(guest);                                  // its page tables and GDT
  guest.put(kCode, {0xb8, 0x00, 0x10, 0x00, 0x00,                // mov eax, 0x1000
                    0x0f, 0x22, 0xd8,                            // mov cr3, eax
                    0xb8, 0x20, 0x06, 0x00, 0x00,                // mov eax, 0x620
                    0x0f, 0x22, 0xe0,                            // mov cr4, eax
                    0x0f, 0x01, 0x15, 0x00, 0x70, 0x00, 0x00,    // lgdt [0x7000]
                    0xb8, 0x33, 0x00, 0x01, 0x80,                // mov eax, 0x80010033
                    0x0f, 0x22, 0xc0,                            // mov cr0, eax
                    0xea, 0x00, 0x00, 0x02, 0x00, 0x08, 0x00});  // jmp 0x08:0x20000
  guest.put(0x7000, {0x37, 0x00, 0x00, 0x40, 0x00, 0x00});
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});  // tdcall
  guest.engine().set_system_registers(td_start_state());
  Registers start = start_at(kCode);
  start.gpr[kRbx] = 52;
  guest.engine().set_registers(start);
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.td_calls, 1);
  EXPECT_EQ(end.rip, kHandler + 4);
  EXPECT_EQ(end.gpr[kRbx], 52U);
  const SystemRegisters state = guest.engine().system_registers();
  EXPECT_EQ(state.efer, 0xd01U);
  EXPECT_EQ(state.cs.selector, 8);
  EXPECT_EQ(state.cs.access_rights & 0x2000, 0x2000);
}

TEST(CpuEngine, TdcallSeesAndChangesRegisters) {
  MicroGuest guest(true);
  guest.put(kCode, {0xb8, 0x01, 0x00, 0x00, 0x00,  // mov eax, 1
                    0x66, 0x0f, 0x01, 0xcc,        // tdcall
                    0x48, 0x89, 0xc3,              // mov rbx, rax
                    0x66, 0x0f, 0x01, 0xcc});      // tdcall
  guest.on_td_call = [&](Registers& registers) {
    if (registers.gpr[kRax] != 1) return Outcome::Exit;
    registers.gpr[kRax] = 0x1234567890abcdef;
    return Outcome::Continue;
  };
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  EXPECT_EQ(guest.run_until_exit().gpr[kRbx], 0x1234567890abcdefU);
}

TEST(CpuEngine, PortAccessOfATdIsVeWithItsDetails) {
  MicroGuest guest(true);
  put_gate(guest, 20, kHandler);
  guest.put(kCode, {0x66, 0xba, 0xf8, 0x03,  // mov dx, 0x3f8
                    0xb0, 0x41,              // mov al, 'A'
                    0xee});                  // out dx, al
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  ASSERT_EQ(guest.ve_infos.size(), 1U);
  EXPECT_EQ(guest.ve_infos[0].exit_reason, exit_reason::kIo);
  EXPECT_EQ(guest.ve_infos[0].exit_qualification, 0x3f80000U);
  EXPECT_EQ(guest.ve_infos[0].instruction_length, 1U);
  EXPECT_EQ(end.gpr[kRax], 0x41U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), kCode + 6);
}

TEST(CpuEngine, HltCpuidAndMsrsOfATdAreVeWhenTheEnvironmentSaysSo) {
  MicroGuest guest(true);
  put_gate(guest, 20, kHandler);
  guest.put(kCode, {0xb8, 0x00, 0x00, 0x00, 0x40,     // mov eax, 0x40000000
                    0x0f, 0xa2,                       // cpuid
                    0xb9, 0x1b, 0x00, 0x00, 0x00,     // mov ecx, 0x1b
                    0x0f, 0x32,                       // rdmsr
                    0xf4,                             // hlt
                    0x66, 0x0f, 0x01, 0xcc});         // tdcall
  guest.put(kHandler, {0x48, 0x83, 0x04, 0x24, 0x02,  // add qword [rsp], 2
                       0x83, 0xc6, 0x01,              // add esi, 1
                       0x83, 0xfe, 0x03,              // cmp esi, 3
                       0x75, 0x04,                    // jne +4
                       0x48, 0xff, 0x0c, 0x24,        // dec qword [rsp]
                       0x48, 0xcf});                  // iretq
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  guest.run_until_exit();
  ASSERT_EQ(guest.ve_infos.size(), 3U);
  EXPECT_EQ(guest.ve_infos[0].exit_reason, exit_reason::kCpuid);
  EXPECT_EQ(guest.ve_infos[1].exit_reason, exit_reason::kRdmsr);
  EXPECT_EQ(guest.ve_infos[2].exit_reason, exit_reason::kHlt);
}

TEST(CpuEngine, PageFaultHasErrorCodeAndExactAddress) {
  MicroGuest guest(true);
  put_gate(guest, 14, kHandler, 1);
  guest.put(kCode, {0xb8, 0x23, 0x01, 0x40, 0x00,  // mov eax, 0x400123
                    0x88, 0x18});                  // mov [rax], bl
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.engine().system_registers().cr2, 0x400123U);
  EXPECT_EQ(end.gpr[kRsp], 0xa000U - 48);
  EXPECT_EQ(guest.value_at<std::uint64_t>(0xa000 - 48), 2U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(0xa000 - 40), kCode + 5);
}

TEST(CpuEngine, InterruptFromUserModeSwitchesToTheTssStack) {
  MicroGuest guest(true);
  put_gate(guest, 0x80, kHandler, 0, 0xee);
  guest.put(kCode, {0x6a, 0x23,                        // push 0x23 (user data)
                    0x68, 0x00, 0x70, 0x00, 0x00,      // push 0x7000
                    0x9c,                              // pushfq
                    0x6a, 0x1b,                        // push 0x1b (user code)
                    0x68, 0x00, 0x00, 0x03, 0x00,      // push 0x30000
                    0x48, 0xcf});                      // iretq
  guest.put(0x30000, {0x6a, 0x55, 0x58, 0xcd, 0x80});  // push 0x55; pop rax; int 0x80
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(end.gpr[kRax], 0x55U);
  EXPECT_EQ(end.gpr[kRsp], 0x9000U - 40);
  EXPECT_EQ(guest.value_at<std::uint64_t>(0x9000 - 40), 0x30005U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(0x9000 - 32), 0x1bU);
  EXPECT_EQ(guest.value_at<std::uint64_t>(0x9000 - 8), 0x23U);
  EXPECT_EQ(guest.engine().system_registers().cs.selector, 8);
}

TEST(CpuEngine, WithoutIdtAFaultIsATripleFault) {
  MicroGuest guest(true);
  guest.put(kCode, {0x0f, 0x0b});  // ud2
  SystemRegisters state = long_mode_state(guest);
  state.idt = {0, 0};
  guest.engine().set_system_registers(state);
  guest.engine().set_registers(start_at(kCode));
  EXPECT_EQ(guest.engine().run(), RunResult::TripleFault);
}

TEST(CpuEngine, PendingInterruptComesOnceInterruptsAreEnabled) {
  MicroGuest guest(true);
  put_gate(guest, 0x30, kHandler);
  guest.put(kCode, {0xfb, 0xeb, 0xfe});  // sti; jmp $
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.interrupt = 0x30;
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), kCode + 1);
  EXPECT_EQ(end.rflags & 0x200, 0U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp] + 16) & 0x200, 0x200U);
}

TEST(CpuEngine, StopFromAnotherThreadEndsARunningLoop) {
  MicroGuest guest(true);
  guest.put(kCode, {0x83, 0x05, 0xf9, 0x0f, 0x00, 0x00, 0x01,  // add dword [rip+0xff9], 1 (0x11000)
                    0xff, 0xc0,                                // inc eax
                    0xeb, 0xf5});                              // jmp to the start
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  for (int i = 0; i < 200; ++i) {
    std::thread stopper([&] { guest.engine().request_stop(); });
    EXPECT_EQ(guest.engine().run(), RunResult::Stopped);
    stopper.join();
    const Registers now = guest.engine().registers();
    const auto additions = guest.value_at<std::uint32_t>(0x11000);
    const auto increments = static_cast<std::uint32_t>(now.gpr[kRax]);
    EXPECT_EQ(additions - increments, now.rip == kCode + 7 ? 1U : 0U);
  }
}

TEST(CpuEngine, RunsCodeThatTheGuestHasJustWritten) {
  MicroGuest guest(true);
  guest.put(kCode, {0xe8, 0x0c, 0x00, 0x00, 0x00,              // call f
                    0xc6, 0x05, 0x06, 0x00, 0x00, 0x00, 0x07,  // mov byte [f+1], 7
                    0xe8, 0x00, 0x00, 0x00, 0x00,              // call f
                    0xb0, 0x01, 0x01, 0xc3, 0x83, 0xfb, 0x08, 0x74, 0x01, 0xc3, 0x66, 0x0f, 0x01, 0xcc});
  // f: mov al, 1; add ebx, eax; cmp ebx, 8; je out; ret; out: tdcall
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  EXPECT_EQ(guest.run_until_exit().gpr[kRbx], 8U);
}

TEST(CpuEngine, RealModeProgramUsesPortsMemoryAndHlt) {
  MicroGuest guest(false);
  guest.put(0x1000, {0xba, 0x10, 0x02,  // mov dx, 0x210
                     0xec,              // in al, dx
                     0x04, 0x01,        // add al, 1
                     0xee,              // out dx, al
                     0xa2, 0x34, 0x12,  // mov [0x1234], al
                     0xf4});            // hlt
  SystemRegisters state = guest.engine().system_registers();
  state.cs.base = 0;
  state.cs.selector = 0;
  guest.engine().set_system_registers(state);
  guest.engine().set_registers(start_at(0x1000));
  std::uint32_t written = 0;
  guest.on_io = [&](bool is_write, std::uint16_t port, unsigned size, std::uint32_t& value) {
    EXPECT_EQ(port, 0x210);
    EXPECT_EQ(size, 1U);
    if (!is_write) return Outcome::ExitAndRetry;
    written = value;
    return Outcome::Exit;
  };
  EXPECT_EQ(guest.run_until_exit().rip, 0x1003U);
  guest.engine().complete_read(0x41);
  EXPECT_EQ(guest.engine().registers().rip, 0x1004U);
  EXPECT_EQ(guest.engine().registers().gpr[kRax], 0x41U);
  EXPECT_EQ(guest.run_until_exit().rip, 0x1007U);
  EXPECT_EQ(guest.run_until_exit().rip, 0x100bU);
  EXPECT_EQ(written, 0x42U);
  EXPECT_EQ(guest.value_at<std::uint8_t>(0x1234), 0x42);
}

TEST(CpuEngine, MmioOfAnOrdinaryVmIsCompletedAfterTheExit) {
  MicroGuest guest(false);
  guest.put(kCode, {0xb8, 0x00, 0x00, 0x00, 0xfe,  // mov eax, 0xfe000000
                    0xc6, 0x40, 0x04, 0x5a,        // mov byte [rax+4], 0x5a
                    0x0f, 0xb6, 0x58, 0x08,        // movzx ebx, byte [rax+8]
                    0xf4});                        // hlt
  SystemRegisters state = long_mode_state(guest);
  guest.put_value<std::uint64_t>(0x2018, 0x7007);  // 3 GiB: 0xfe000000 by a 2 MiB page
  guest.put_value<std::uint64_t>(0x7f80, 0xfe0000e7);
  std::uint64_t written = 0;
  guest.on_mmio = [&](bool is_write, std::uint64_t gpa, unsigned size, std::uint64_t& value) {
    EXPECT_EQ(gpa, is_write ? 0xfe000004U : 0xfe000008U);
    EXPECT_EQ(size, 1U);
    if (!is_write) return Outcome::ExitAndRetry;
    written = value;
    return Outcome::Exit;
  };
  guest.engine().set_system_registers(state);
  guest.engine().set_registers(start_at(kCode));
  EXPECT_EQ(guest.run_until_exit().rip, kCode + 9);
  EXPECT_EQ(guest.run_until_exit().rip, kCode + 9);
  guest.engine().complete_read(0xa5);
  EXPECT_EQ(guest.engine().registers().rip, kCode + 13);
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(written, 0x5aU);
  EXPECT_EQ(end.gpr[kRbx], 0xa5U);
}

TEST(CpuEngine, PageThatCausesVeTellsItsAddresses) {
  MicroGuest guest(true);
  put_gate(guest, 20, kHandler);
  guest.put(kCode, {0x8b, 0x04, 0x25, 0x10, 0x80, 0x03, 0x00});  // mov eax, [0x38010]
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.special_pages[0x38000] = PageAnswer::Kind::Ve;
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  guest.run_until_exit();
  ASSERT_EQ(guest.ve_infos.size(), 1U);
  EXPECT_EQ(guest.ve_infos[0].exit_reason, exit_reason::kEptViolation);
  EXPECT_EQ(guest.ve_infos[0].gpa, 0x38010U);
  EXPECT_EQ(guest.ve_infos[0].gla, 0x38010U);
  EXPECT_EQ(guest.ve_infos[0].exit_qualification & 7, 1U);
}

TEST(CpuEngine, SecondVeBeforeTheFirstWasReadIsADoubleFault) {
  MicroGuest guest(true);
  put_gate(guest, 8, kHandler);
  guest.accepts_ve = false;
  guest.put(kCode, {0xf4});  // hlt
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), 0U);
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp] + 8), kCode);
}

TEST(CpuEngine, InvalidatedPagesAreAskedForAgain) {
  MicroGuest guest(true);
  put_gate(guest, 20, kHandler);
  guest.put(kCode, {0x8b, 0x04, 0x25, 0x10, 0x80, 0x03, 0x00,    // mov eax, [0x38010]
                    0x66, 0x0f, 0x01, 0xcc,                      // tdcall
                    0x8b, 0x04, 0x25, 0x10, 0x80, 0x03, 0x00});  // mov eax, [0x38010]
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.on_td_call = [&](Registers&) {
    if (guest.td_calls > 1) return Outcome::Exit;
    guest.special_pages[0x38000] = PageAnswer::Kind::Ve;
    guest.engine().invalidate(0x38000, 0x1000);
    return Outcome::Continue;
  };
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  guest.run_until_exit();
  EXPECT_EQ(guest.ve_infos.size(), 1U);
}

TEST(CpuEngine, NativeMsrsAreTheEnginesOwn) {
  MicroGuest guest(true);
  guest.put(kCode, {0xb9, 0x00, 0x01, 0x00, 0xc0,  // mov ecx, 0xc0000100 (FS base)
                    0xb8, 0x78, 0x56, 0x34, 0x00,  // mov eax, 0x345678
                    0x31, 0xd2,                    // xor edx, edx
                    0x0f, 0x30,                    // wrmsr
                    0x31, 0xc0,                    // xor eax, eax
                    0x0f, 0x32,                    // rdmsr
                    0x66, 0x0f, 0x01, 0xcc});      // tdcall
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  EXPECT_EQ(guest.run_until_exit().gpr[kRax], 0x345678U);
  EXPECT_EQ(guest.engine().system_registers().fs.base, 0x345678U);
}

TEST(CpuEngine, IdleLoopWhoseVeHandlerBlocksInterruptsStillGetsThem) {
  MicroGuest guest(true);
  put_gate(guest, 20, kHandler);
  put_gate(guest, 0x30, 0x28000);
  guest.put(kCode, {0xf4, 0xeb, 0xfd});                       // hlt; jmp back
  guest.put(kHandler, {0x48, 0xff, 0x04, 0x24, 0x48, 0xcf});  // inc qword [rsp]; iretq
  guest.put(0x28000, {0x66, 0x0f, 0x01, 0xcc});               // tdcall
  guest.engine().set_system_registers(long_mode_state(guest));
  Registers start = start_at(kCode);
  start.rflags = 0x202;
  guest.engine().set_registers(start);
  std::thread device([&] { guest.interrupt = 0x30; });
  guest.run_until_exit();
  device.join();
  EXPECT_EQ(guest.td_calls, 1);
}

}  // namespace virttdx::softhost
