// SPDX-License-Identifier: GPL-2.0-or-later
// Two engines over one memory, each on its thread.
#include <chrono>
#include <thread>
#include <vector>

#include "micro_guest.h"
#include "softhost/cpu/code_pages.h"
#include "softhost/cpu/spin_watch.h"

namespace virttdx::softhost {

constexpr std::uint64_t kCounter = 0x70000;

/// One way to add 1 to the counter at RDI that is atomic on a processor. R9 counts the rounds.
struct Increment {
  const char* name;
  std::vector<int> bytes;
};

class AtomicIncrement : public testing::TestWithParam<Increment> {
 protected:
  static constexpr std::uint64_t kRounds = 200'000;
  static constexpr std::uint64_t kFirstIsHere = 0x71000, kSecondIsHere = 0x71008;

  /// Both CPUs wait for each other, then do the rounds.
  void put_program(const std::vector<int>& increment) {
    std::uint64_t at = kCode;
    const auto put = [&](int byte) { first.memory()[at++] = static_cast<std::byte>(byte); };
    for (const int byte : {0xc6, 0x06, 0x01, 0x41, 0x80, 0x38, 0x00, 0x74, 0xfa})
      put(byte);  // mov byte [rsi], 1; 1: cmp byte [r8], 0; je 1b
    const std::uint64_t body = at;
    for (const int byte : increment) put(byte);
    for (const int byte : {0x49, 0xff, 0xc9, 0x0f, 0x85}) put(byte);  // dec r9; jnz body
    first.put_value(at, -static_cast<std::int32_t>(at + 4 - body));
    at += 4;
    for (const int byte : {0x66, 0x0f, 0x01, 0xcc}) put(byte);  // tdcall
  }
  static void start(MicroGuest& cpu, std::uint64_t counter, std::uint64_t own_flag,
                    std::uint64_t other_flag) {
    cpu.engine().set_system_registers(long_mode_state(cpu));
    Registers registers = start_at(kCode);
    registers.gpr[kRdi] = counter;
    registers.gpr[kRsi] = own_flag;
    registers.gpr[kR8] = other_flag;
    registers.gpr[kR9] = kRounds;
    cpu.engine().set_registers(registers);
  }

  MicroGuest first{true};
  MicroGuest second{true, first.shared_memory()};
};

TEST_P(AtomicIncrement, OfTwoCpusLosesNoRound) {
  put_program(GetParam().bytes);
  start(first, kCounter, kFirstIsHere, kSecondIsHere);
  start(second, kCounter, kSecondIsHere, kFirstIsHere);
  std::thread other([&] { second.run_until_exit(); });
  first.run_until_exit();
  other.join();
  EXPECT_EQ(first.value_at<std::uint64_t>(kCounter), 2 * kRounds);
}

TEST_P(AtomicIncrement, WorksOnAnOperandThatIsNotAligned) {
  // CMPXCHG16B demands alignment.
  const std::uint64_t counter = std::string(GetParam().name) == "Cmpxchg16b" ? kCounter : kCounter + 5;
  put_program(GetParam().bytes);
  start(first, counter, kFirstIsHere, kFirstIsHere);
  first.run_until_exit();
  EXPECT_EQ(first.value_at<std::uint64_t>(counter), kRounds);
}

INSTANTIATE_TEST_SUITE_P(
    Engines, AtomicIncrement,
    testing::Values(
        Increment{"Inc", {0xf0, 0xff, 0x07}},                    // lock inc dword [rdi]
        Increment{"Add", {0xf0, 0x48, 0x83, 0x07, 0x01}},        // lock add qword [rdi], 1
        Increment{"Sub", {0xf0, 0x48, 0x83, 0x2f, 0xff}},        // lock sub qword [rdi], -1
        Increment{"Adc", {0xf9, 0xf0, 0x48, 0x83, 0x17, 0x00}},  // stc; lock adc qword [rdi], 0
        Increment{"Xadd",
                  {0xb8, 0x01, 0, 0, 0, 0xf0, 0x48, 0x0f, 0xc1, 0x07}},  // mov eax, 1; lock xadd [rdi], rax
        Increment{"XaddOfWords",
                  {0xb8, 0x01, 0, 0, 0, 0xf0, 0x0f, 0xc1, 0x07}},  // lock xadd dword [rdi], eax
        Increment{"Cmpxchg",
                  {0x48, 0x8b, 0x07,                           // mov rax, [rdi]
                   0x48, 0x8d, 0x50, 0x01,                     // 1: lea rdx, [rax + 1]
                   0xf0, 0x48, 0x0f, 0xb1, 0x17,               // lock cmpxchg [rdi], rdx
                   0x75, 0xf5}},                               // jne 1b
        Increment{"Cmpxchg8b", {0x8b, 0x07, 0x8b, 0x57, 0x04,  // mov eax, [rdi]; mov edx, [rdi + 4]
                                0x89, 0xc3, 0x89, 0xd1,        // 1: mov ebx, eax; mov ecx, edx
                                0x83, 0xc3, 0x01,              // add ebx, 1
                                0x83, 0xd1, 0x00,              // adc ecx, 0
                                0xf0, 0x0f, 0xc7, 0x0f,        // lock cmpxchg8b [rdi]
                                0x75, 0xf0}},                  // jne 1b
        Increment{"Cmpxchg16b",
                  {0x48, 0x8b, 0x07, 0x48, 0x8b, 0x57, 0x08,        // mov rax, [rdi]; mov rdx, [rdi + 8]
                   0x48, 0x89, 0xc3, 0x48, 0x89, 0xd1,              // 1: mov rbx, rax; mov rcx, rdx
                   0x48, 0x83, 0xc3, 0x01,                          // add rbx, 1
                   0x48, 0x83, 0xd1, 0x00,                          // adc rcx, 0
                   0xf0, 0x48, 0x0f, 0xc7, 0x0f,                    // lock cmpxchg16b [rdi]
                   0x75, 0xeb}},                                    // jne 1b
        Increment{"SpinlockOfXchg", {0xb8, 0x01, 0x00, 0x00, 0x00,  // 1: mov eax, 1
                                     0x87, 0x47, 0x40,              // xchg [rdi + 0x40], eax
                                     0x85, 0xc0, 0x75, 0xf4,        // test eax, eax; jnz 1b
                                     0xff, 0x07,                    // inc dword [rdi]
                                     0xc7, 0x47, 0x40, 0x00, 0x00, 0x00, 0x00}},  // mov dword [rdi + 0x40], 0
        Increment{"SpinlockOfXchgOfBytes", {0xb8, 0x01, 0x00, 0x00, 0x00,         // 1: mov eax, 1
                                            0x86, 0x47, 0x40,                     // xchg [rdi + 0x40], al
                                            0x84, 0xc0, 0x75, 0xf4,               // test al, al; jnz 1b
                                            0xff, 0x07,                           // inc dword [rdi]
                                            0xc7, 0x47, 0x40, 0x00, 0x00, 0x00, 0x00}},
        Increment{"SpinlockOfXchgOfWords", {0xb8, 0x01, 0x00, 0x00, 0x00,  // 1: mov eax, 1
                                            0x66, 0x87, 0x47, 0x40,        // xchg [rdi + 0x40], ax
                                            0x85, 0xc0, 0x75, 0xf3,        // test eax, eax; jnz 1b
                                            0xff, 0x07,                    // inc dword [rdi]
                                            0xc7, 0x47, 0x40, 0x00, 0x00, 0x00, 0x00}},
        Increment{"SpinlockOfXchgOfQuadwords", {0xb8, 0x01, 0x00, 0x00, 0x00,  // 1: mov eax, 1
                                                0x48, 0x87, 0x47, 0x40,        // xchg [rdi + 0x40], rax
                                                0x85, 0xc0, 0x75, 0xf3,        // test eax, eax; jnz 1b
                                                0xff, 0x07,                    // inc dword [rdi]
                                                0xc7, 0x47, 0x40, 0x00, 0x00, 0x00, 0x00}},
        Increment{"SpinlockOfBts",
                  {0xf0, 0x0f, 0xba, 0x6f, 0x40, 0x00,  // 1: lock bts dword [rdi + 0x40], 0
                   0x72, 0xf8,                          // jc 1b
                   0xff, 0x07,                          // inc dword [rdi]
                   0xf0, 0x83, 0x67, 0x40, 0xfe}}),     // lock and dword [rdi + 0x40], ~1
    [](const auto& instance) { return instance.param.name; });

/// A CPU calls a function that the other one rewrites each time that it was told to.
TEST(SeveralCpus, CodeWrittenByAnotherCpuIsTranslatedAnew) {
  constexpr std::uint32_t kRounds = 100;
  constexpr std::uint64_t kFunction = 0x30000, kWritten = 0x71000, kSeen = 0x72000, kWriterCode = 0x18000;
  CodePages code_pages;
  MicroGuest runner(true, MicroGuest::make_memory(), &code_pages);
  MicroGuest writer(true, runner.shared_memory(), &code_pages);
  // mov eax, 0; ret
  runner.put(kFunction, {0xb8, 0x00, 0x00, 0x00, 0x00, 0xc3});
  runner.put(kCode, {0x31, 0xdb,                                      // xor ebx, ebx
                     0xff, 0xc3,                                      // 1: inc ebx
                     0x39, 0x1c, 0x25, 0x00, 0x10, 0x07, 0x00,        // 2: cmp [0x71000], ebx
                     0x75, 0xf7,                                      // jne 2b
                     0xff, 0xd6,                                      // call rsi
                     0x39, 0xd8,                                      // cmp eax, ebx
                     0x75, 0x0f,                                      // jne out
                     0x89, 0x1c, 0x25, 0x00, 0x20, 0x07, 0x00,        // mov [0x72000], ebx
                     0x81, 0xfb, 0x64, 0x00, 0x00, 0x00,              // cmp ebx, 100
                     0x75, 0xe0,                                      // jne 1b
                     0x66, 0x0f, 0x01, 0xcc});                        // out: tdcall
  runner.put(kWriterCode, {0x31, 0xdb,                                // xor ebx, ebx
                           0x39, 0x1c, 0x25, 0x00, 0x20, 0x07, 0x00,  // 1: cmp [0x72000], ebx
                           0x75, 0xf7,                                // jne 1b
                           0xff, 0xc3,                                // inc ebx
                           0x89, 0x5e, 0x01,                          // mov [rsi + 1], ebx
                           0x89, 0x1c, 0x25, 0x00, 0x10, 0x07, 0x00,  // mov [0x71000], ebx
                           0x81, 0xfb, 0x64, 0x00, 0x00, 0x00,        // cmp ebx, 100
                           0x75, 0xe3,                                // jne 1b
                           0x66, 0x0f, 0x01, 0xcc});                  // tdcall
  for (MicroGuest* cpu : {&runner, &writer}) {
    cpu->engine().set_system_registers(long_mode_state(*cpu));
    Registers registers = start_at(cpu == &runner ? kCode : kWriterCode, cpu == &runner ? 0x8000 : 0x9000);
    registers.gpr[kRsi] = kFunction;
    cpu->engine().set_registers(registers);
  }
  std::thread other([&] { (void)writer.engine().run(); });
  const Registers end = runner.run_until_exit();
  writer.engine().request_stop();  // it waits for ever when the runner saw old code
  other.join();
  EXPECT_EQ(end.gpr[kRax], end.gpr[kRbx]);
  EXPECT_EQ(end.gpr[kRbx], kRounds);
  EXPECT_EQ(runner.value_at<std::uint32_t>(kWritten), kRounds);
  EXPECT_EQ(runner.value_at<std::uint32_t>(kSeen), kRounds);
}

/// Memory at one GPA that can be exchanged.
class MovingPage : public MicroGuest {
 public:
  static constexpr std::uint64_t kGpa = 0x38000;
  using MicroGuest::MicroGuest;
  PageAnswer page(std::uint64_t gpa, AccessKind access) override {
    if (gpa != kGpa) return MicroGuest::page(gpa, access);
    return {.kind = PageAnswer::Kind::Memory, .host = memory() + host_offset.load()};
  }
  std::atomic<std::uint64_t> host_offset{0x40000};
};

TEST(SeveralCpus, NothingReachesAPageOnceItsInvalidationWasWaitedFor) {
  constexpr std::uint64_t kOld = 0x40000, kNew = 0x41000;
  MovingPage guest(true);
  guest.put(kCode, {0xff, 0x04, 0x25, 0x00, 0x80, 0x03, 0x00,  // 1: inc dword [0x38000]
                    0xeb, 0xf7});                              // jmp 1b
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  std::thread cpu([&] { EXPECT_EQ(guest.engine().run(), RunResult::Stopped); });
  const auto counter = [&](std::uint64_t at) {
    return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(guest.memory() + at)).load();
  };
  while (counter(kOld) == 0) std::this_thread::yield();
  guest.host_offset = kNew;
  guest.engine().invalidate(MovingPage::kGpa, 0x1000);
  guest.engine().wait_until_invalidated();
  const std::uint32_t last = counter(kOld);
  while (counter(kNew) < 1000) std::this_thread::yield();
  EXPECT_EQ(counter(kOld), last);
  guest.engine().request_stop();
  cpu.join();
}

TEST(SeveralCpus, PauseLetsAnotherCpuRun) {
  CodePages code_pages;
  MicroGuest first(true, MicroGuest::make_memory(), &code_pages);
  MicroGuest second(true, first.shared_memory(), &code_pages);
  first.put(kCode, {0xf3, 0x90,                // pause
                    0xff, 0xc0,                // inc eax
                    0x66, 0x0f, 0x01, 0xcc});  // tdcall
  first.engine().set_system_registers(long_mode_state(first));
  first.engine().set_registers(start_at(kCode));
  const Registers end = first.run_until_exit();
  EXPECT_EQ(end.gpr[kRax], 1U);
  EXPECT_EQ(end.rip, kCode + 8);
}

/// Looks for interrupts, of which there is one a round of the engine's run loop and one a PAUSE.
class CountingGuest : public MicroGuest {
 public:
  using MicroGuest::MicroGuest;
  std::optional<std::uint8_t> pending_interrupt() override {
    if (++looks == kLooks) engine().request_stop();
    return MicroGuest::pending_interrupt();
  }
  static constexpr int kLooks = 200;
  int looks = 0;
};

class SpinningCpu : public testing::TestWithParam<std::vector<int>> {};

// Its looks would be a twentieth of a millisecond apart, its PAUSEs some microseconds.
TEST_P(SpinningCpu, RestsLongerAndLonger) {
  CodePages code_pages;
  CountingGuest guest(true, MicroGuest::make_memory(), &code_pages);
  MicroGuest other(true, guest.shared_memory(), &code_pages);
  std::uint64_t at = kCode;
  for (const int byte : GetParam()) guest.memory()[at++] = static_cast<std::byte>(byte);
  guest.engine().set_system_registers(long_mode_state(guest));
  guest.engine().set_registers(start_at(kCode));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(guest.engine().run(), RunResult::Stopped);
  constexpr int kShorterRests = 60;
  EXPECT_GE(std::chrono::steady_clock::now() - begin,
            (CountingGuest::kLooks / 2 - kShorterRests) * SpinWatch::kLongestRest);
}

INSTANTIATE_TEST_SUITE_P(Loops, SpinningCpu,
                         testing::Values(std::vector{0x83, 0x3c, 0x25, 0x00, 0x10, 0x07, 0x00,
                                                     0x00,         // 1: cmp dword [0x71000], 0
                                                     0x74, 0xf6},  // je 1b
                                         std::vector{0xf3, 0x90,   // 1: pause
                                                     0x83, 0x3c, 0x25, 0x00, 0x10, 0x07, 0x00,
                                                     0x00,           // cmp dword [0x71000], 0
                                                     0x74, 0xf4}));  // je 1b

/// What a CPU was asked for.
struct Holder : CodeHolder {
  void code_changed(std::byte* page) override { changed.push_back(page); }
  void give_up_rights() override { ++rights_wanted; }
  void no_longer_alone() override { ++joined; }
  std::vector<std::byte*> changed;
  int rights_wanted = 0, joined = 0;
};

class TwoHolders : public testing::Test {
 protected:
  std::vector<std::byte> memory = std::vector<std::byte>(4096);
  std::byte* page = memory.data();
  CodePages pages;
  Holder a, b;
  unsigned cpu_a = *pages.join(a);
  unsigned cpu_b = *pages.join(b);
};

TEST_F(TwoHolders, TheFirstIsToldThatItIsNoLongerAlone) {
  EXPECT_EQ(a.joined, 1);
  EXPECT_EQ(b.joined, 0);
}

TEST_F(TwoHolders, AWriterIsAskedToGiveUpWhatAnotherExecutes) {
  EXPECT_TRUE(pages.claim(cpu_a, page, AccessKind::Write, true).may_write);
  pages.claim(cpu_b, page, AccessKind::Execute, false);
  EXPECT_EQ(a.rights_wanted, 1);
  pages.release(cpu_a, {page});
  EXPECT_EQ(b.changed, std::vector<std::byte*>{page});
}

TEST_F(TwoHolders, WritingMakesOthersTranslateAnew) {
  pages.claim(cpu_b, page, AccessKind::Execute, false);
  pages.claim(cpu_a, page, AccessKind::Write, true);
  EXPECT_EQ(b.changed, std::vector<std::byte*>{page});
  EXPECT_EQ(b.rights_wanted, 1);
}

TEST_F(TwoHolders, ReadingWhatAnotherExecutesGivesNoRightToWrite) {
  pages.claim(cpu_b, page, AccessKind::Execute, false);
  EXPECT_FALSE(pages.claim(cpu_a, page, AccessKind::Read, true).may_write);
  EXPECT_TRUE(b.changed.empty());
}

TEST_F(TwoHolders, OwnCodeIsTheEnginesToWatch) {
  pages.claim(cpu_a, page, AccessKind::Execute, false);
  EXPECT_TRUE(pages.claim(cpu_a, page, AccessKind::Write, true).may_write);
  EXPECT_TRUE(a.changed.empty());
}

}  // namespace virttdx::softhost
