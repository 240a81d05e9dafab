// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/vcpu_thread.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <optional>

#include "../kvm/fake_kernel.h"

namespace virttdx::test {
namespace {

class NoVmcalls final : public TdVmcallHandler {
 public:
  void td_vmcall(kvm::kvm_run&, std::uint32_t) override {}
};

/// A port that calls back.
class CallingPort final : public BusRegion {
 public:
  explicit CallingPort(std::function<void()> call) : call_(std::move(call)) {}
  void read(std::uint64_t, std::span<std::byte>) override { call_(); }
  void write(std::uint64_t, std::span<const std::byte>) override { call_(); }

 private:
  std::function<void()> call_;
};

class VcpuThreadTest : public testing::Test {
 protected:
  void SetUp() override {
    // A guest that runs until it is told to come back.
    kernel_.on_ioctl[kvm::KVM_RUN] = [this](int, std::uintptr_t) { return run_until_told(); };
    vm_.emplace(std::move(*Kvm::open(kernel_)->create_vm(kvm::KVM_X86_TDX_VM)));
    memory_ = std::move(*GuestMemory::create(*vm_, {}));
    vcpu_.emplace(std::move(*vm_->create_vcpu(0)));
  }

  int run_until_told() {
    runs_.fetch_add(1);
    runs_.notify_all();
    while (std::atomic_ref(kernel_.run_area->immediate_exit).load() == 0) std::this_thread::yield();
    return -EINTR;
  }
  void wait_for_runs(int count) {
    for (int now = runs_; now < count; now = runs_) runs_.wait(now);
  }
  /// The exit that a run gives from then on.
  void exit_with(std::uint32_t reason) {
    kernel_.on_ioctl[kvm::KVM_RUN] = [this, reason](int, std::uintptr_t) {
      kernel_.run_area->exit_reason = reason;
      return 0;
    };
  }
  std::unique_ptr<VcpuThread> start() {
    return std::move(*VcpuThread::create(*vcpu_, {ports_, mmio_, *memory_, vmcalls_},
                                         [this](const VcpuStop& stop) { stopped_.set_value(stop); }));
  }

  FakeKernel kernel_;
  std::atomic<int> runs_ = 0;
  std::optional<KvmVm> vm_;
  std::unique_ptr<GuestMemory> memory_;
  std::optional<KvmVcpu> vcpu_;
  PortBus ports_;
  MmioBus mmio_;
  NoVmcalls vmcalls_;
  std::promise<VcpuStop> stopped_;
};

TEST_F(VcpuThreadTest, StartsPaused) {
  const auto thread = start();
  thread->wait_paused();
  EXPECT_EQ(runs_, 0);
}

TEST_F(VcpuThreadTest, PausesARunningGuestAndResumesIt) {
  const auto thread = start();
  for (int round = 1; round <= 100; ++round) {
    thread->resume();
    wait_for_runs(round);
    thread->request_pause();
    thread->wait_paused();
  }
  EXPECT_GE(runs_, 100);
}

TEST_F(VcpuThreadTest, EndsARunningGuest) {
  const auto thread = start();
  thread->resume();
  wait_for_runs(1);
  thread->end();
  EXPECT_GT(thread->cpu_time_ns(), 0U);
}

TEST_F(VcpuThreadTest, ReportsTheEndOnceAndDoesNotRunAgain) {
  exit_with(kvm::KVM_EXIT_SHUTDOWN);
  const auto thread = start();
  thread->resume();
  EXPECT_EQ(stopped_.get_future().get().message, "triple fault on vCPU 0");
  thread->request_pause();
  thread->wait_paused();
  thread->resume();  // a second report would throw: the promise is kept already
  thread->end();
}

TEST_F(VcpuThreadTest, ReportsARunThatFails) {
  kernel_.on_ioctl[kvm::KVM_RUN] = [](int, std::uintptr_t) { return -EIO; };
  const auto thread = start();
  thread->resume();
  const VcpuStop stop = stopped_.get_future().get();
  EXPECT_EQ(stop.reason, StopReason::Crashed);
  EXPECT_TRUE(stop.message.starts_with("KVM_RUN vCPU 0: Input/output error because the TD is dead"))
      << stop.message;
}

TEST_F(VcpuThreadTest, LetsADevicePauseTheVcpuThatAccessesIt) {
  std::unique_ptr<VcpuThread> thread;
  std::promise<void> paused;
  std::atomic<int> accesses = 0;
  CallingPort port([&] {
    if (accesses.fetch_add(1) != 0) return;
    thread->request_pause();
    thread->wait_paused();
    paused.set_value();
  });
  ASSERT_TRUE(ports_.add(0x10, 1, "port", port));
  kernel_.on_ioctl[kvm::KVM_RUN] = [this](int, std::uintptr_t) {
    if (kernel_.run_area->immediate_exit != 0) return -EINTR;
    kernel_.run_area->exit_reason = kvm::KVM_EXIT_IO;
    kernel_.run_area->io = {kvm::KVM_EXIT_IO_OUT, 1, 0x10, 1, 4096};
    return 0;
  };
  thread = start();
  thread->resume();
  paused.get_future().wait();
  thread->wait_paused();
  EXPECT_EQ(accesses, 1);
}

// The kick's signal brings a guest out of real hardware.
TEST(VcpuThreadOnKvm, PausesAGuestInAnEndlessLoop) {
  const auto kernel = linux_kernel_calls();
  auto kvm = Kvm::open(*kernel);
  if (!kvm) GTEST_SKIP() << kvm.error().message();
  auto vm = kvm->create_vm(kvm::KVM_X86_DEFAULT_VM);
  ASSERT_TRUE(vm);
  void* const page = mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  static_cast<std::uint8_t*>(page)[0] = 0xEB;  // jmp $
  static_cast<std::uint8_t*>(page)[1] = 0xFE;
  ASSERT_TRUE(vm->set_memory_region(
      kvm::kvm_userspace_memory_region{0, 0, 0x1000, kPageSize, reinterpret_cast<std::uint64_t>(page)}));
  auto vcpu = vm->create_vcpu(0);
  ASSERT_TRUE(vcpu);
  auto system = *vcpu->system_registers();
  system.cs.base = 0;
  system.cs.selector = 0;
  ASSERT_TRUE(vcpu->set_system_registers(system));
  kvm::kvm_regs registers{};
  registers.rip = 0x1000;
  registers.rflags = 2;
  ASSERT_TRUE(vcpu->set_registers(registers));
  PortBus ports;
  MmioBus mmio;
  NoVmcalls vmcalls;
  const auto memory = std::move(*GuestMemory::create(*vm, {}));
  bool stopped = false;
  {
    const auto thread = std::move(*VcpuThread::create(*vcpu, {ports, mmio, *memory, vmcalls},
                                                      [&](const VcpuStop&) { stopped = true; }));
    for (int round = 0; round < 50; ++round) {
      thread->resume();
      thread->request_pause();
      thread->wait_paused();
    }
    thread->resume();
    while (thread->cpu_time_ns() < 1'000'000) std::this_thread::yield();  // it runs in the guest by now
    thread->request_pause();
    thread->wait_paused();
  }
  EXPECT_FALSE(stopped);
  EXPECT_EQ(vcpu->registers()->rip, 0x1000U);
  munmap(page, kPageSize);
}

}  // namespace
}  // namespace virttdx::test
