// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_PRE_FAULT_MEMORY on TDs.
#include <csignal>
#include <thread>

#include "micro_td.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kSizeMismatch = 0xC0000B0B00000000;

class PreFaultMemory : public MicroTd {
 protected:
  int pre_fault(std::uint64_t gpa, std::uint64_t size, std::uint64_t flags = 0) {
    request = {.gpa = gpa, .size = size, .flags = flags, .padding = {}};
    return call_with(vcpu, kvm::KVM_PRE_FAULT_MEMORY, request);
  }
  kvm::kvm_pre_fault_memory request{};
};

TEST_F(PreFaultMemory, RefusesMalformedRanges) {
  launch(Program().spin());
  EXPECT_EQ(pre_fault(0x100000, 0x1000, 1), -EINVAL);
  EXPECT_EQ(pre_fault(0x100001, 0x1000), -EINVAL);
  EXPECT_EQ(pre_fault(0x100000, 0x1800), -EINVAL);
  EXPECT_EQ(pre_fault(0x100000, 0), -EINVAL);
  EXPECT_EQ(pre_fault(0x100000, ~0xFFFULL), -EINVAL);
  EXPECT_EQ(call(vcpu, kvm::KVM_PRE_FAULT_MEMORY, 8), -EFAULT);
}

TEST_F(PreFaultMemory, NotBeforeFinalize) {
  vm = initialized_td();
  vcpu = initialized_vcpu(vm);
  add_private_ram(vm);
  EXPECT_EQ(pre_fault(0x100000, 0x1000), -EOPNOTSUPP);
}

TEST_F(PreFaultMemory, RefusesAddressesWithTheSharedBit) {
  launch(Program().spin());
  EXPECT_EQ(pre_fault(kSharedBit48 | 0x100000, 0x1000), -EINVAL);
}

TEST_F(PreFaultMemory, NeedsASlot) {
  launch(Program().spin());
  EXPECT_EQ(pre_fault(0x40000000, 0x1000), -ENOENT);
}

TEST_F(PreFaultMemory, PrivateMemoryNeedsAGuestMemfd) {
  launch(Program().spin());
  ASSERT_EQ(set_attributes(vm, 0x40000000, 0x1000, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE), 0);
  EXPECT_EQ(pre_fault(0x40000000, 0x1000), -EFAULT);
}

TEST_F(PreFaultMemory, GoesAsFarAsItCan) {
  launch(Program().spin());
  EXPECT_EQ(pre_fault(kRamSize - 0x3000, 0x5000), 0);
  EXPECT_EQ(request.gpa, kRamSize);
  EXPECT_EQ(request.size, 0x2000U);
  EXPECT_EQ(pre_fault(request.gpa, request.size), -ENOENT);
}

TEST_F(PreFaultMemory, GoesOnWhereASignalInterruptedIt) {
  launch(Program().spin());
  struct sigaction action {
  }, old{};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR2, &action, &old);
  std::jthread sender([self = pthread_self()](const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::yield()) pthread_kill(self, SIGUSR2);
  });
  request = {.gpa = 0x100000, .size = kRamSize - 0x100000, .flags = 0, .padding = {}};
  while (request.size != 0) {
    const std::uint64_t left = request.size;
    const int result = call_with(vcpu, kvm::KVM_PRE_FAULT_MEMORY, request);
    if (result != 0) {
      ASSERT_EQ(result, -EINTR);
      ASSERT_EQ(request.size, left);
    }
  }
  sender.request_stop();
  sender.join();
  sigaction(SIGUSR2, &old, nullptr);
  EXPECT_EQ(request.gpa, kRamSize);
}

TEST_F(PreFaultMemory, APageIsThereForTheGuestToAccept) {
  launch(Program().accept(0x200000, 1).report());
  ASSERT_EQ(pre_fault(0x200000, 0x1000), 0);
  EXPECT_EQ(request.size, 0U);
  enter_until_report();
  // KVM maps 4 KiB at a time: the 2 MiB that the guest asks for cannot be there any more.
  EXPECT_EQ(reported_rax(), kSizeMismatch | 1);
}

TEST_F(PreFaultMemory, ABlockedSignalDoesNotInterrupt) {
  launch(Program().spin());
  sigset_t set, previous;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = [](int) {};
  sigaction(SIGUSR1, &ignore, &before);
  pthread_sigmask(SIG_BLOCK, &set, &previous);
  raise(SIGUSR1);
  // Pending and blocked: it does not interrupt.
  EXPECT_EQ(pre_fault(0x100000, 0x1000), 0);
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace virttdx::softhost
