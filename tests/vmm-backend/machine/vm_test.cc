// SPDX-License-Identifier: GPL-2.0-or-later
// The life of a VM, with guests of two bytes on the software TDX host.
#include "machine/vm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "memory_serial_backend.h"
#include "softhost/soft_host.h"
#include "support/file.h"
#include "tdvf_image.h"
#include "tdx/capabilities.h"

namespace virttdx {
namespace {

using Kind = MonitorEventKind;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::initializer_list<int> kEndlessLoop = {0xEB, 0xFE};  // jmp $
constexpr std::initializer_list<int> kTripleFault = {0x0F, 0x0B};  // ud2, without an IDT

class VmTest : public testing::Test {
 protected:
  void SetUp() override {
    const HostCapabilities capabilities = read_host_capabilities(*host_, HostKind::Soft);
    ASSERT_TRUE(capabilities.tdx_supported) << capabilities.tdx_unsupported_reason;
    config_.name = "test";
    config_.uuid = "00112233-4455-6677-8899-aabbccddeeff";
    config_.host = HostKind::Soft;
    config_.memory_bytes = 64ULL << 20;
    config_.firmware_path = firmware_;
    config_.serials.resize(1);
    config_.td.cpuid = {{0x80000008, 0, false, 48U << 16, 0, 0, 0}};
    config_.td.vcpu_cpuid = capabilities.supported_cpuid;
    for (CpuidEntry& entry : config_.td.vcpu_cpuid)
      if (entry.function == 1) entry.ecx |= 1U << 21 | 1U << 31;
  }
  void TearDown() override {
    vm_.reset();
    std::filesystem::remove(firmware_);
  }
  /// A VM whose guest runs `code` at its reset vector.
  void create(std::initializer_list<int> code) {
    const auto image = test::TdvfImage().put_bytes(0x1FF0, code).bytes();
    const std::string_view content(reinterpret_cast<const char*>(image.data()), image.size());
    ASSERT_TRUE(write_file_atomically(firmware_, content, 0600));
    auto created = Vm::create(config_, {.kernel = *host_,
                                        .serials = {{0, &console_}},
                                        .on_event = [this](const MonitorEvent& event) { record(event); },
                                        .host_mrtd = [this](int fd) { return host_->mrtd(fd); }});
    ASSERT_TRUE(created) << created.error().message();
    vm_ = std::move(*created);
  }
  void start(std::initializer_list<int> code) {
    create(code);
    const auto started = vm_->start();
    ASSERT_TRUE(started) << started.error().message();
  }
  void record(const MonitorEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  std::vector<Kind> kinds() {
    const std::lock_guard lock(mutex_);
    std::vector<Kind> kinds;
    for (const MonitorEvent& event : events_) kinds.push_back(event.kind);
    return kinds;
  }
  void wait_for_stopped() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !events_.empty() && events_.back().kind == Kind::Stopped; });
  }
  std::uint64_t cpu_time() const { return vm_->status().vcpu_time_ns.at(0); }
  void wait_until_it_runs() {
    const std::uint64_t before = cpu_time();
    while (cpu_time() == before) std::this_thread::yield();
  }
  /// A paused vCPU's thread may still be on its way to its wait; then its time stands still. An endless
  /// loop's never does.
  void wait_until_it_stands_still() {
    constexpr int kReadings = 1000;
    for (int same = 0; same < kReadings;) {
      const std::uint64_t before = cpu_time();
      std::this_thread::yield();
      same = cpu_time() == before ? same + 1 : 0;
    }
  }

  std::unique_ptr<softhost::SoftHost> host_ = softhost::create_soft_host();
  const std::string firmware_ = testing::TempDir() + "vm_test." + std::to_string(getpid()) + ".fd";
  VmConfig config_;
  test::MemorySerialBackend console_;
  std::unique_ptr<Vm> vm_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MonitorEvent> events_;  ///< guarded by mutex_
};

TEST_F(VmTest, StartsAndStops) {
  start(kEndlessLoop);
  EXPECT_EQ(vm_->status().state, VmState::Running);
  wait_until_it_runs();
  ASSERT_TRUE(vm_->stop());
  EXPECT_EQ(vm_->status().state, VmState::Stopped);
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Destroyed);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, TellsMeasurementsThatItsHostConfirms) {
  create(kEndlessLoop);
  EXPECT_EQ(vm_->measurements().error().code(), Error::Code::WrongState);
  EXPECT_EQ(vm_->cpuid().error().code(), Error::Code::WrongState);
  ASSERT_TRUE(vm_->start());
  const auto measurements = vm_->measurements();
  ASSERT_TRUE(measurements);
  EXPECT_EQ(measurements->host_mrtd, measurements->mrtd);
  EXPECT_FALSE(vm_->cpuid()->actual.empty());
}

TEST_F(VmTest, DoesNotRunWhilePaused) {
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->pause());
  EXPECT_EQ(vm_->pause().error().code(), Error::Code::WrongState);
  wait_until_it_stands_still();
  ASSERT_TRUE(vm_->resume());
  wait_until_it_runs();
  EXPECT_EQ(vm_->resume().error().message(), "Cannot resume 'test': it is running");
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Paused, Kind::Resumed));
}

TEST_F(VmTest, StartsPausedWhenAsked) {
  config_.start_paused = true;
  start(kEndlessLoop);
  EXPECT_EQ(vm_->status().state, VmState::Paused);
  ASSERT_TRUE(vm_->resume());
  wait_until_it_runs();
}

TEST_F(VmTest, ResetMakesANewTd) {
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().state, VmState::Running);
  EXPECT_EQ(vm_->status().recreated, 1U);
  wait_until_it_runs();
  ASSERT_TRUE(vm_->pause());
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().state, VmState::Paused);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Reset, Kind::Recreated, Kind::Paused, Kind::Reset,
                                   Kind::Recreated));
}

TEST_F(VmTest, ResetStopsWhenTheConfigurationSaysSo) {
  config_.on_reset = ResetAction::Stop;
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->reset());
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Reset);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Reset, Kind::Stopped));
}

TEST_F(VmTest, ReportsACrash) {
  start(kTripleFault);
  wait_for_stopped();
  EXPECT_EQ(vm_->status().stop_reason, StopReason::Crashed);
  EXPECT_THAT(vm_->status().message, HasSubstr("triple fault on vCPU 0"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, ReportsAFailedLaunch) {
  config_.td.xfam |= 1ULL << 63;
  create(kEndlessLoop);
  EXPECT_FALSE(vm_->start());
  EXPECT_EQ(vm_->status().stop_reason, StopReason::LaunchFailed);
  EXPECT_THAT(vm_->status().message, HasSubstr("XFAM"));
  EXPECT_THAT(kinds(), ElementsAre(Kind::Stopped));
}

TEST_F(VmTest, RefusesEverythingOnceStopped) {
  start(kEndlessLoop);
  ASSERT_TRUE(vm_->stop());
  EXPECT_TRUE(vm_->stop());
  for (const auto& refused : {vm_->start(), vm_->pause(), vm_->resume(), vm_->reset(), vm_->powerdown()})
    EXPECT_EQ(refused.error().code(), Error::Code::WrongState);
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, StopsWhenDestroyed) {
  start(kEndlessLoop);
  vm_.reset();
  EXPECT_THAT(kinds(), ElementsAre(Kind::Launched, Kind::Stopped));
}

TEST_F(VmTest, RefusesFirmwareThatIsNotThere) {
  config_.firmware_path = "/nonexistent.fd";
  EXPECT_FALSE(Vm::create(config_, {.kernel = *host_, .serials = {}, .on_event = {}, .host_mrtd = {}}));
}

}  // namespace
}  // namespace virttdx
