// SPDX-License-Identifier: GPL-2.0-or-later
// When interrupts and NMIs arrive.
#include "micro_guest.h"

namespace virttdx::softhost {

constexpr unsigned kVector = 0x30;

/// Code that begins to take interrupts, and where the one that waits must arrive.
struct Enabling {
  const char* name;
  std::vector<int> bytes;
  std::uint64_t arrives_at;
};

class PendingInterrupt : public testing::TestWithParam<Enabling> {};

TEST_P(PendingInterrupt, ArrivesAtTheFirstBoundaryThatTakesIt) {
  MicroGuest guest(true);
  put_gate(guest, kVector, kHandler);
  std::uint64_t at = kCode;
  for (const int byte : GetParam().bytes) guest.memory()[at++] = static_cast<std::byte>(byte);
  guest.put(0x10040, {0xff, 0xc3, 0xeb, 0xfc});   // 1: inc ebx; jmp 1b
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});  // tdcall
  guest.interrupt = kVector;
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), GetParam().arrives_at);
  EXPECT_EQ(end.gpr[kRbx], 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, PendingInterrupt,
    testing::Values(
        // sti; nop; 1: inc ebx; jmp 1b: behind the shadow
        Enabling{"Sti", {0xfb, 0x90, 0xff, 0xc3, 0xeb, 0xfc}, kCode + 2},
        // push 0x202; popfq; 1: inc ebx; jmp 1b
        Enabling{"Popf", {0x68, 0x02, 0x02, 0x00, 0x00, 0x9d, 0xff, 0xc3, 0xeb, 0xfc}, kCode + 6},
        // push 0x10, 0x8000, 0x202, 8, 0x10040; iretq
        Enabling{"Iret",
                 {0x6a, 0x10, 0x68, 0x00, 0x80, 0x00, 0x00, 0x68, 0x02, 0x02, 0x00,
                  0x00, 0x6a, 0x08, 0x68, 0x40, 0x00, 0x01, 0x00, 0x48, 0xcf},
                 0x10040},
        // mov eax, 0x10; sti; mov ss, eax; 1: inc ebx; jmp 1b: one shadow of the two
        Enabling{
            "StiBeforeMovSs", {0xb8, 0x10, 0, 0, 0, 0xfb, 0x8e, 0xd0, 0xff, 0xc3, 0xeb, 0xfc}, kCode + 8}),
    [](const auto& instance) { return instance.param.name; });

TEST(Interrupts, ThatAnMsrWriteMakesDeliverableComesBehindIt) {
  // An IPI of the CPU to itself, seen by the environment only.
  class SelfIpi : public MicroGuest {
   public:
    using MicroGuest::MicroGuest;
    Outcome write_msr(std::uint32_t index, std::uint64_t value) override {
      if (index == 0x83f) interrupt = static_cast<int>(value);
      return Outcome::Continue;
    }
  };
  SelfIpi guest(true);
  put_gate(guest, kVector, kHandler);
  guest.put(kCode, {0xb9, 0x3f, 0x08, 0x00, 0x00,  // mov ecx, 0x83f
                    0xb8, 0x30, 0x00, 0x00, 0x00,  // mov eax, 0x30
                    0x0f, 0x30,                    // wrmsr
                    0xff, 0xc3, 0xeb, 0xfc});      // 1: inc ebx; jmp 1b
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.engine().set_system_registers(long_mode_state(guest));
  Registers start = start_at(kCode);
  start.rflags = 0x202;
  guest.engine().set_registers(start);
  const Registers end = guest.run_until_exit();
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), kCode + 12);
  EXPECT_EQ(end.gpr[kRbx], 0U);
}

TEST(Interrupts, ASecondNmiWaitsForTheIretOfTheFirst) {
  MicroGuest guest(true);
  put_gate(guest, 2, kHandler);
  guest.put(kCode, {0xeb, 0xfe});                     // jmp .
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc,        // tdcall
                       0xb9, 0x00, 0x00, 0x00, 0x01,  // mov ecx, 0x1000000
                       0xff, 0xc9, 0x75, 0xfc,        // 1: dec ecx; jnz 1b
                       0x48, 0xcf});                  // iretq
  std::vector<std::uint64_t> stacks;
  guest.nmi = true;
  guest.on_td_call = [&](Registers& registers) {
    stacks.push_back(registers.gpr[kRsp]);
    guest.nmi = stacks.size() == 1;
    return stacks.size() == 1 ? Outcome::Continue : Outcome::Exit;
  };
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const Registers end = guest.run_until_exit();
  ASSERT_EQ(stacks.size(), 2U);
  EXPECT_EQ(stacks[0], stacks[1]);
  EXPECT_EQ(guest.value_at<std::uint64_t>(end.gpr[kRsp]), kCode);
}

TEST(Interrupts, OfATimerComeAtItsDeadline) {
  // The environment knows of its timer only what next_deadline() told.
  class Timer : public MicroGuest {
   public:
    using MicroGuest::MicroGuest;
    static std::uint64_t now() {
      return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    }
    std::uint64_t next_deadline() override { return deadline; }
    std::optional<std::uint8_t> pending_interrupt() override {
      if (now() < deadline) return std::nullopt;
      return kVector;
    }
    void acknowledge_interrupt(std::uint8_t) override { deadline = UINT64_MAX; }
    std::uint64_t deadline = now() + 300'000;
  };
  Timer guest(true);
  put_gate(guest, kVector, kHandler);
  guest.put(kCode, {0xeb, 0xfe});
  guest.put(kHandler, {0x66, 0x0f, 0x01, 0xcc});
  guest.engine().set_system_registers(long_mode_state(guest));
  Registers start = start_at(kCode);
  start.rflags = 0x202;
  guest.engine().set_registers(start);
  guest.run_until_exit();
  EXPECT_EQ(guest.deadline, UINT64_MAX);
}

}  // namespace virttdx::softhost
