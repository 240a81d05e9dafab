// SPDX-License-Identifier: GPL-2.0-or-later
// TDs of a few instructions: KVM_RUN, its exits and their completion.
#include <sys/eventfd.h>

#include "micro_td.h"
#include "support/unique_fd.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kInvalidOperand = 0x8000000000000000, kAlignError = 0x8000000000000002,
                        kUnsupported = 0x8000000000000003;
constexpr std::uint64_t kMapGpa = 0x10001;
constexpr std::uint64_t kSoftwareEnabledApic = 0x1FF;

class TdRun : public MicroTd {};

TEST_F(TdRun, PrintsAByteThroughThePortOfAnIoExit) {
  launch(Program().print('A').report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_IO);
  EXPECT_EQ(run->io.direction, 1);
  EXPECT_EQ(run->io.size, 1);
  EXPECT_EQ(run->io.port, 0x3F8);
  EXPECT_EQ(run->io.count, 1U);
  EXPECT_EQ(static_cast<char>(*io_data()), 'A');
  enter_until_report();
  EXPECT_EQ(reported_r10(), 0U);
}

TEST_F(TdRun, ReadsAPortIntoR11) {
  launch(Program().vmcall(30, 2, 0, 0x510).report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_IO);
  EXPECT_EQ(run->io.direction, 0);
  EXPECT_EQ(run->io.size, 2);
  const std::uint32_t value = 0xFFFFBEEF;
  std::memcpy(io_data(), &value, sizeof(value));
  enter_until_report();
  EXPECT_EQ(reported_r11(), 0xBEEFU);
}

TEST_F(TdRun, RefusesPortAccessesOfOddSizes) {
  launch(Program().vmcall(30, 3, 0, 0x510).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kInvalidOperand);
}

TEST_F(TdRun, CompletesAnExitAlsoWithImmediateExit) {
  launch(Program().print('A').print('B').report());
  ASSERT_EQ(enter(), 0);
  run->immediate_exit = 1;
  EXPECT_EQ(enter(), -EINTR);
  run->immediate_exit = 0;
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(static_cast<char>(*io_data()), 'B');
}

TEST_F(TdRun, MmioCarriesTheAddressWithoutTheSharedBit) {
  launch(Program().vmcall(48, 4, 0, kSharedBit48 | 0xB0000000).report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_MMIO);
  EXPECT_EQ(run->mmio.phys_addr, 0xB0000000U);
  EXPECT_EQ(run->mmio.len, 4U);
  EXPECT_EQ(run->mmio.is_write, 0);
  const std::uint64_t value = 0xAAAAAAAA12345678;
  std::memcpy(run->mmio.data, &value, sizeof(value));
  enter_until_report();
  EXPECT_EQ(reported_r11(), 0x12345678U);
}

TEST_F(TdRun, MmioToPrivateAddressesIsRefused) {
  launch(Program().vmcall(48, 4, 1, 0xB0000000, 1).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kInvalidOperand);
}

TEST_F(TdRun, WakesFromHltByAnMsiSentBefore) {
  launch(Program()
             .vmcall(32, 0x80F, kSoftwareEnabledApic)
             .print('A')
             .vmcall(12)
             .wait_for_interrupt()
             .load(kInterruptCount)
             .report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(send_msi(0x40), 1);
  enter_until_report();
  EXPECT_EQ(reported_r15(), 1U);
}

TEST_F(TdRun, WakesFromHltByAnMsiFromAnotherThread) {
  launch(Program().vmcall(32, 0x80F, kSoftwareEnabledApic).print('A').vmcall(12).print('B').report());
  ASSERT_EQ(enter(), 0);
  std::thread sender([&] { send_msi(0x40); });
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(static_cast<char>(*io_data()), 'B');
  sender.join();
}

TEST_F(TdRun, WakesFromHltByItsApicTimer) {
  launch(Program()
             .vmcall(32, 0x80F, kSoftwareEnabledApic)
             .vmcall(32, 0x832, 0x40)    // timer: one-shot, vector 0x40
             .vmcall(32, 0x838, 100000)  // 200 us at a bus cycle of 1 ns and divider 2
             .vmcall(12)
             .wait_for_interrupt()
             .load(kInterruptCount)
             .report());
  enter_until_report();
  EXPECT_EQ(reported_r15(), 1U);
}

TEST_F(TdRun, TakesATimerInterruptWhileItComputes) {
  launch(Program()
             .vmcall(32, 0x80F, kSoftwareEnabledApic)
             .vmcall(32, 0x832, 0x40)
             .vmcall(32, 0x838, 100000)
             .wait_for_interrupt()
             .report());
  enter_until_report();
}

TEST_F(TdRun, RaisesTheInterruptOfAnIrqfd) {
  launch(Program().vmcall(32, 0x80F, kSoftwareEnabledApic).print('A').vmcall(12).print('B').report());
  struct {
    kvm::kvm_irq_routing table{1, 0};
    kvm::kvm_irq_routing_entry entry{};
  } routes;
  routes.entry.gsi = 4;
  routes.entry.type = kvm::KVM_IRQ_ROUTING_MSI;
  routes.entry.u.msi = {.address_lo = 0xFEE00000, .address_hi = 0, .data = 0x40, .devid = 0};
  ASSERT_EQ(call_with(vm, kvm::KVM_SET_GSI_ROUTING, routes), 0);
  const UniqueFd event(eventfd(0, EFD_CLOEXEC));
  kvm::kvm_irqfd irqfd{
      .fd = static_cast<std::uint32_t>(event.get()), .gsi = 4, .flags = 0, .resamplefd = 0, .pad = {}};
  ASSERT_EQ(call_with(vm, kvm::KVM_IRQFD, irqfd), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_IRQFD, irqfd), -EBUSY);
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(eventfd_write(event.get(), 1), 0);
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(static_cast<char>(*io_data()), 'B');
}

TEST_F(TdRun, SignalsAnIoeventfdWithoutAnExit) {
  launch(Program().vmcall(48, 2, 1, kSharedBit48 | 0xC0000000, 5).report());
  const UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  kvm::kvm_ioeventfd request{
      .datamatch = 5, .addr = 0xC0000000, .len = 2, .fd = event.get(), .flags = 1, .pad = {}};
  ASSERT_EQ(call_with(vm, kvm::KVM_IOEVENTFD, request), 0);
  EXPECT_EQ(call_with(vm, kvm::KVM_IOEVENTFD, request), -EEXIST);
  enter_until_report();
  eventfd_t count = 0;
  EXPECT_EQ(eventfd_read(event.get(), &count), 0);
  EXPECT_EQ(count, 1U);
}

TEST_F(TdRun, CpuidIsAnsweredFromTheVcpusOwn) {
  launch(Program().vmcall(10, 1).bytes({0x4D, 0x89, 0xF7}).report());  // mov %r14, %r15
  enter_until_report();
  EXPECT_EQ(reported_r15(), 1U << 21);
}

TEST_F(TdRun, MsrsThatKvmDoesNotEmulateAreInvalid) {
  launch(Program().vmcall(31, 0xC0000081).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kInvalidOperand);
}

TEST_F(TdRun, ApicBaseShowsX2apicAndTheBootCpu) {
  launch(Program().vmcall(31, 0x1B).report());
  enter_until_report();
  EXPECT_EQ(reported_r11(), 0xFEE00D00U);
}

TEST_F(TdRun, UnknownSubFunctionsAreUnsupported) {
  launch(Program().vmcall(54).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kUnsupported);
}

TEST_F(TdRun, MapGpaComesInChunksOf2MibFromItsStart) {
  launch(Program().vmcall(kMapGpa, kSharedBit48 | 0x1000, 0x300000).report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_HYPERCALL);
  EXPECT_EQ(run->hypercall.nr, 12U);
  EXPECT_EQ(run->hypercall.args[0], 0x1000U);
  EXPECT_EQ(run->hypercall.args[1], 512U);
  EXPECT_EQ(run->hypercall.args[2], 0U);
  EXPECT_EQ(run->hypercall.flags, 1U);
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_HYPERCALL);
  EXPECT_EQ(run->hypercall.args[0], 0x201000U);
  EXPECT_EQ(run->hypercall.args[1], 256U);
  enter_until_report();
  EXPECT_EQ(reported_r10(), 0U);
}

TEST_F(TdRun, MapGpaTellsWhereTheMonitorWantsToBeAskedAgain) {
  launch(Program().vmcall(kMapGpa, 0x100000, 0x1000).report());
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(run->hypercall.args[2], 0x10U);
  run->hypercall.ret = EAGAIN;
  enter_until_report();
  EXPECT_EQ(reported_r10(), 1U);
  EXPECT_EQ(reported_r11(), 0x100000U);
}

TEST_F(TdRun, MapGpaChecksItsRange) {
  launch(Program().vmcall(kMapGpa, 0x100800, 0x1000).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kAlignError);
  EXPECT_EQ(reported_r11(), 0x100800U);
}

TEST_F(TdRun, MapGpaRefusesARangeAcrossTheSharedBit) {
  launch(Program().vmcall(kMapGpa, kSharedBit48 - 0x1000, 0x2000).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kInvalidOperand);
}

TEST_F(TdRun, GetQuoteIsUnsupportedUnlessTheMonitorSaysOtherwise) {
  launch(Program().vmcall(0x10002, kSharedBit48 | 0x2000, 0x1000).report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_TDX);
  EXPECT_EQ(run->tdx.nr, 0x10002U);
  EXPECT_EQ(run->tdx.get_quote.gpa, 0x2000U);
  EXPECT_EQ(run->tdx.get_quote.size, 0x1000U);
  enter_until_report();
  EXPECT_EQ(reported_r10(), kUnsupported);
}

TEST_F(TdRun, TdVmCallInfoOfLeaf1IsTheMonitors) {
  launch(Program().vmcall(0x10000, 1).report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_TDX);
  EXPECT_EQ(run->tdx.get_tdvmcall_info.leaf, 1U);
  run->tdx.get_tdvmcall_info.r11 = 2;
  enter_until_report();
  EXPECT_EQ(reported_r10(), 0U);
  EXPECT_EQ(reported_r11(), 2U);
}

TEST_F(TdRun, EventNotifyVectorsBelow32AreInvalid) {
  launch(Program().vmcall(0x10004, 31).report());
  enter_until_report();
  EXPECT_EQ(reported_r10(), kInvalidOperand);
}

TEST_F(TdRun, AcceptsA2MibPageAtOnce) {
  launch(Program().accept(0x200000, 1).store(0x3FFFFF).load(0x200000).report());
  enter_until_report();
  EXPECT_EQ(reported_rax(), 0U);
  EXPECT_EQ(reported_r15(), 0U);
}

TEST_F(TdRun, AcceptOf2MibWhere4KibPagesLieIsASizeMismatch) {
  launch(Program().accept(0x0, 1).report());  // holds the pages added at launch
  enter_until_report();
  EXPECT_EQ(reported_rax(), 0xC0000B0B00000001);
}

TEST_F(TdRun, APageThatWasNotAcceptedKillsTheTd) {
  launch(Program().load(0x100000).report());
  EXPECT_EQ(enter(), -EIO);
  EXPECT_EQ(enter(), -EIO);
}

TEST_F(TdRun, PrivateAccessToSharedMemoryIsAMemoryFault) {
  launch(Program().accept(0x100000, 0).load(0x100000).report());
  ASSERT_EQ(set_attributes(vm, 0x100000, 0x1000, 0), 0);
  EXPECT_EQ(enter(), -EFAULT);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_MEMORY_FAULT);
  EXPECT_EQ(run->memory_fault.flags, 8U);
  EXPECT_EQ(run->memory_fault.gpa, 0x100000U);
  EXPECT_EQ(run->memory_fault.size, 4096U);
  ASSERT_EQ(set_attributes(vm, 0x100000, 0x1000, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  enter_until_report();
}

TEST_F(TdRun, SharedAccessToPrivateMemoryIsAMemoryFault) {
  launch(Program().load(kSharedWindow + 0x100000).report());
  EXPECT_EQ(enter(), -EFAULT);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_MEMORY_FAULT);
  EXPECT_EQ(run->memory_fault.flags, 0U);
  EXPECT_EQ(run->memory_fault.gpa, 0x100000U);
}

TEST_F(TdRun, SharedMemoryIsTheMonitorsOwn) {
  launch(Program().load(kSharedWindow + 0x100000).report());
  ASSERT_EQ(set_attributes(vm, 0x100000, 0x1000, 0), 0);
  const std::uint64_t value = 0x1122334455667788;
  std::memcpy(ram + 0x100000, &value, sizeof(value));
  enter_until_report();
  EXPECT_EQ(reported_r15(), value);
}

TEST_F(TdRun, AConvertedPageReadsZeroAfterItsReturn) {
  launch(Program()
             .accept(0x100000, 0)
             .bytes({0xB0, 0x5A})  // mov $0x5a, %al
             .store(0x100000)
             .vmcall(kMapGpa, kSharedBit48 | 0x100000, 0x1000)
             .vmcall(kMapGpa, 0x100000, 0x1000)
             .accept(0x100000, 0)
             .load(0x100000)
             .report());
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(run->exit_reason, kvm::KVM_EXIT_HYPERCALL);
  ASSERT_EQ(set_attributes(vm, 0x100000, 0x1000, 0), 0);
  ASSERT_EQ(enter(), 0);
  ASSERT_EQ(set_attributes(vm, 0x100000, 0x1000, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  enter_until_report();
  EXPECT_EQ(reported_rax(), 0U);
  EXPECT_EQ(reported_r15(), 0U);
}

TEST_F(TdRun, ATripleFaultIsAShutdown) {
  launch(Program().bytes({0x0F, 0x0B}));  // ud2 without a handler
  EXPECT_EQ(enter(), 0);
  EXPECT_EQ(run->exit_reason, kvm::KVM_EXIT_SHUTDOWN);
}

class TdStop : public MicroTd {
 protected:
  // As a monitor does it: the signal is blocked outside and let through inside KVM_RUN.
  void SetUp() override {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, &old_mask);
  }
  void TearDown() override {
    timespec none{};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    while (sigtimedwait(&signals, nullptr, &none) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
  }
  void let_signal_through() {
    struct {
      std::uint32_t len = 8;
      std::uint8_t set[8]{};
    } mask;
    ASSERT_EQ(call_with(vcpu, kvm::KVM_SET_SIGNAL_MASK, mask), 0);
  }
  // Sends the signal to this thread from another one while it is inside KVM_RUN, or just before.
  int enter_and_signal(bool with_immediate_exit) {
    const pthread_t self = pthread_self();
    std::thread stopper([&] {
      if (with_immediate_exit) __atomic_store_n(&run->immediate_exit, 1, __ATOMIC_RELEASE);
      pthread_kill(self, SIGUSR1);
    });
    const int result = enter();
    stopper.join();
    return result;
  }
  sigset_t old_mask{};
};

TEST_F(TdStop, ASignalInterruptsARunningGuest) {
  launch(Program().print('A').spin());
  let_signal_through();
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(enter_and_signal(false), -EINTR);
  EXPECT_EQ(run->exit_reason, kvm::KVM_EXIT_INTR);
}

TEST_F(TdStop, ImmediateExitAndASignalInterruptARunningGuest) {
  launch(Program().print('A').spin());
  let_signal_through();
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(enter_and_signal(true), -EINTR);
}

TEST_F(TdStop, ASignalInterruptsAHaltedGuestAndStaysPending) {
  launch(Program().print('A').vmcall(12).spin());
  let_signal_through();
  ASSERT_EQ(enter(), 0);
  EXPECT_EQ(enter_and_signal(false), -EINTR);
  EXPECT_EQ(run->exit_reason, kvm::KVM_EXIT_INTR);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGUSR1), 1);
}

}  // namespace
}  // namespace virttdx::softhost
