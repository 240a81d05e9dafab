// SPDX-License-Identifier: GPL-2.0-or-later
// Whose an eventfd's signals are: the host's that interrupts the guest, or the reader's. A VM without vCPUs
// is enough for that; softhost/kvm/td_run_test.cc has the guest that is interrupted.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <thread>

#include "each_host.h"
#include "kvm/kvm.h"
#include "support/unique_fd.h"
#include "tdx/td_irqfds.h"
#include "tdx/td_launch.h"

namespace virttdx {
namespace {

constexpr MsiMessage kMessage{0xFEE00000, 0x40};

class Irqfds : public testing::TestWithParam<test::Host> {
 protected:
  void SetUp() override {
    kernel_ = GetParam().create();
    auto kvm = Kvm::open(*kernel_);
    if (!kvm) GTEST_SKIP() << kvm.error().message();
    // The software host's ordinary VMs have no interrupt controller.
    vm_.emplace(kvm->create_vm(GetParam().is_soft ? kvm::KVM_X86_TDX_VM : kvm::KVM_X86_DEFAULT_VM).value());
    ASSERT_TRUE(vm_->enable(kvm::KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP", kIoApicRoutes));
    irqfds_.emplace(*vm_);
  }
  bool is_signalled() const {
    pollfd wait{.fd = event_.get(), .events = POLLIN, .revents = 0};
    return poll(&wait, 1, 0) == 1;
  }
  void signal() const { ASSERT_EQ(eventfd_write(event_.get(), 1), 0); }
  /// The host reads it, in its own time.
  void expect_taken() const {
    while (is_signalled()) std::this_thread::yield();
  }

  std::unique_ptr<KernelCalls> kernel_;
  std::optional<KvmVm> vm_;
  std::optional<TdIrqfds> irqfds_;
  const UniqueFd event_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

TEST_P(Irqfds, TheHostTakesTheSignalsOfAConnectedEventfd) {
  ASSERT_TRUE(irqfds_->connect(event_.get(), kMessage));
  for (int i = 0; i < 3; ++i) {
    signal();
    expect_taken();
  }
}

// KVM sends the message of the first one and leaves it in the eventfd until the next.
TEST_P(Irqfds, TheHostTakesWhatCameBeforeWithTheNextSignal) {
  signal();
  ASSERT_TRUE(irqfds_->connect(event_.get(), kMessage));
  signal();
  expect_taken();
}

TEST_P(Irqfds, SignalsAreTheReadersAfterADisconnect) {
  ASSERT_TRUE(irqfds_->connect(event_.get(), kMessage));
  irqfds_->disconnect(event_.get());
  signal();
  eventfd_t count = 0;
  EXPECT_EQ(eventfd_read(event_.get(), &count), 0);
  EXPECT_EQ(count, 1U);
}

TEST_P(Irqfds, AnEventfdIsConnectedAgainWithAnotherMessage) {
  ASSERT_TRUE(irqfds_->connect(event_.get(), kMessage));
  ASSERT_TRUE(irqfds_->connect(event_.get(), {kMessage.address, 0x41}));
  irqfds_->disconnect(event_.get());
  ASSERT_TRUE(irqfds_->connect(event_.get(), kMessage));
  signal();
  expect_taken();
}

INSTANTIATE_TEST_SUITE_P(Hosts, Irqfds, test::each_host(), test::name_of);

}  // namespace
}  // namespace virttdx
