// SPDX-License-Identifier: GPL-2.0-or-later
// TDs with two vCPUs: what one does to the other through x2APIC, and their own timers.
#include <future>

#include "micro_td.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kHlt = 12, kWrmsr = 32;
constexpr std::uint64_t kSpurious = 0x80F, kIcr = 0x830, kLvtTimer = 0x832, kTimerCount = 0x838,
                        kTimerDivide = 0x83E;
constexpr std::uint64_t kTscDeadline = 0x6E0;
constexpr std::uint64_t kApicOn = 0x1FF, kVector = 0x40, kDeadlineMode = 2 << 17;
constexpr std::uint64_t kToVcpu0 = 0, kToVcpu1 = std::uint64_t{1} << 32, kToAllOthers = 3 << 18;

class SeveralVcpus : public MicroTd {
 protected:
  ~SeveralVcpus() override {
    if (other_run_ != nullptr) host->munmap(other_run_, 8192);
  }
  void launch_two(const Program& boot, const Program& other) {
    launch(Program::by_vcpu(boot, other), 2);
    void* address = nullptr;
    ASSERT_EQ(host->mmap(others.at(0), 8192, &address), 0);
    other_run_ = static_cast<kvm::kvm_run*>(address);
  }
  /// Enters vCPU 1 until it prints a letter.
  char letter_of_other() {
    EXPECT_EQ(call(others.at(0), kvm::KVM_RUN), 0);
    EXPECT_EQ(other_run_->exit_reason, kvm::KVM_EXIT_IO);
    return static_cast<char>(reinterpret_cast<std::byte*>(other_run_)[other_run_->io.data_offset]);
  }
  /// Both run at once, each until it prints a letter: the boot vCPU's and vCPU 1's.
  std::string letters_of_both() {
    auto other = std::async(std::launch::async, [this] { return letter_of_other(); });
    EXPECT_EQ(enter(), 0);
    EXPECT_EQ(run->exit_reason, kvm::KVM_EXIT_IO);
    const char own = static_cast<char>(*io_data());
    return {own, other.get()};
  }

 private:
  kvm::kvm_run* other_run_ = nullptr;
};

/// With its APIC enabled. Interrupts stay off: one that comes before HLT waits for it.
Program ready() { return Program().vmcall(kWrmsr, kSpurious, kApicOn); }

Program halt_until_interrupt() { return Program().vmcall(kHlt).wait_for_interrupt(); }

TEST_F(SeveralVcpus, StartTogetherAndKnowTheirIndex) {
  launch_two(Program().print('0').spin(), Program().print('1').spin());
  EXPECT_EQ(letters_of_both(), "01");
}

TEST_F(SeveralVcpus, AnIpiWakesAHaltedVcpu) {
  launch_two(ready().vmcall(kWrmsr, kIcr, kToVcpu1 | kVector).print('S').spin(),
             ready().print('R').append(halt_until_interrupt()).print('W').spin());
  ASSERT_EQ(letter_of_other(), 'R');
  EXPECT_EQ(letters_of_both(), "SW");
}

TEST_F(SeveralVcpus, AnIpiInterruptsAVcpuThatComputes) {
  launch_two(ready().vmcall(kWrmsr, kIcr, kToVcpu1 | kVector).print('S').spin(),
             ready().print('R').wait_for_interrupt().print('W').spin());
  ASSERT_EQ(letter_of_other(), 'R');
  EXPECT_EQ(letters_of_both(), "SW");
}

TEST_F(SeveralVcpus, AnIpiToAllOthersLeavesTheSenderAlone) {
  launch_two(ready().vmcall(kWrmsr, kIcr, kToAllOthers | kVector).load(kInterruptCount).print('S').spin(),
             ready().print('R').append(halt_until_interrupt()).print('W').spin());
  ASSERT_EQ(letter_of_other(), 'R');
  EXPECT_EQ(letters_of_both(), "SW");
}

// INIT and SIPI are for no vCPU of a TD: the one that they were sent to goes on.
TEST_F(SeveralVcpus, InitAndStartUpIpisDoNothing) {
  constexpr std::uint64_t kInit = 5 << 8, kStartUp = 6 << 8 | 0x10;
  launch_two(ready()
                 .vmcall(kWrmsr, kIcr, kToVcpu1 | kInit)
                 .vmcall(kWrmsr, kIcr, kToVcpu1 | kStartUp)
                 .vmcall(kWrmsr, kIcr, kToVcpu1 | kVector)
                 .print('S')
                 .spin(),
             ready().print('R').append(halt_until_interrupt()).print('W').spin());
  ASSERT_EQ(letter_of_other(), 'R');
  EXPECT_EQ(letters_of_both(), "SW");
}

// Each answers the other's interrupt a hundred times; the handler's count goes up by one at each.
TEST_F(SeveralVcpus, HundredsOfIpisThereAndBackLoseNone) {
  constexpr std::uint32_t kEnd = 200;
  Program boot = ready().bytes({0xFB}).set_rbp(0);  // sti
  const std::size_t boot_round = boot.size();
  // RBP is 2 more once the answer has come.
  boot.vmcall(kWrmsr, kIcr, kToVcpu1 | kVector).bytes({0x48, 0x83, 0xC5, 0x02}).wait_for_count_in_rbp();
  boot.bytes({0x48, 0x83, 0xED, 0x02}).next_round(boot_round, kEnd).print('0').spin();  // sub $2, %rbp
  Program other = ready().bytes({0xFB}).print('R').set_rbp(1);
  const std::size_t other_round = other.size();
  other.wait_for_count_in_rbp().vmcall(kWrmsr, kIcr, kToVcpu0 | kVector).next_round(other_round, kEnd);
  other.print('1').spin();
  launch_two(boot, other);
  ASSERT_EQ(letter_of_other(), 'R');
  EXPECT_EQ(letters_of_both(), "01");
}

TEST_F(SeveralVcpus, EachIsWokenByItsOwnApicTimer) {
  const auto with_timer = [](char letter) {
    return ready()
        .vmcall(kWrmsr, kTimerDivide, 0xB)
        .vmcall(kWrmsr, kLvtTimer, kVector)
        .vmcall(kWrmsr, kTimerCount, 1000)
        .append(halt_until_interrupt())
        .print(letter)
        .spin();
  };
  launch_two(with_timer('0'), with_timer('1'));
  EXPECT_EQ(letters_of_both(), "01");
}

/// Arms the TSC deadline 2^20 ticks from now.
Program arm_deadline() {
  return Program()
      .bytes({0x0F, 0x31})                                // rdtsc
      .bytes({0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0})  // shl $32, %rdx; or %rdx, %rax
      .bytes({0x48, 0x05, 0x00, 0x00, 0x10, 0x00})        // add $0x100000, %rax
      .bytes({0x49, 0x89, 0xC5})                          // mov %rax, %r13
      .bytes({0x41, 0xBB, 0x20, 0x00, 0x00, 0x00})        // mov $32, %r11d
      .bytes({0x41, 0xBC, 0xE0, 0x06, 0x00, 0x00})        // mov $0x6e0, %r12d
      .bytes({0x45, 0x31, 0xD2, 0x31, 0xC0})              // xor %r10d, %r10d; xor %eax, %eax
      .bytes({0xB9, 0x00, 0xFC, 0x00, 0x00})              // mov $0xfc00, %ecx
      .bytes({0x66, 0x0F, 0x01, 0xCC});                   // tdcall
}

TEST_F(SeveralVcpus, ATscDeadlineWakesTheVcpuThatSetIt) {
  launch_two(ready().print('0').spin(), ready()
                                            .vmcall(kWrmsr, kLvtTimer, kDeadlineMode | kVector)
                                            .append(arm_deadline())
                                            .append(halt_until_interrupt())
                                            .print('1')
                                            .spin());
  EXPECT_EQ(letters_of_both(), "01");
}

TEST_F(SeveralVcpus, ATscDeadlineInThePastFiresAtOnce) {
  launch_two(ready().print('0').spin(), ready()
                                            .vmcall(kWrmsr, kLvtTimer, kDeadlineMode | kVector)
                                            .vmcall(kWrmsr, kTscDeadline, 1)
                                            .append(halt_until_interrupt())
                                            .print('1')
                                            .spin());
  EXPECT_EQ(letters_of_both(), "01");
}

}  // namespace
}  // namespace virttdx::softhost
