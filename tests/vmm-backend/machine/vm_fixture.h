// SPDX-License-Identifier: GPL-2.0-or-later
// A VM on the software TDX host whose firmware a test makes, and the events that it sends.
#pragma once

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "machine/vm.h"
#include "memory_serial_backend.h"
#include "softhost/soft_host.h"
#include "support/file.h"
#include "tdvf_image.h"
#include "tdx/capabilities.h"

namespace virttdx::test {

class VmTest : public testing::Test {
 protected:
  using Kind = MonitorEventKind;

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
  void create(std::initializer_list<int> code) { create(test::TdvfImage().put_bytes(0x1FF0, code).bytes()); }
  void create(const std::vector<std::byte>& image) {
    const std::string_view content(reinterpret_cast<const char*>(image.data()), image.size());
    ASSERT_TRUE(write_file_atomically(firmware_, content, 0600));
    auto created = Vm::create(config_, {.kernel = *host_,
                                        .serials = {{0, &console_}},
                                        .on_event = [this](const MonitorEvent& event) { record(event); },
                                        .host_mrtd =
                                            [this](int fd) {
                                              if (on_host_mrtd_) on_host_mrtd_(fd);
                                              return host_->mrtd(fd);
                                            }});
    ASSERT_TRUE(created) << created.error().message();
    vm_ = std::move(*created);
  }
  template <typename Guest>
  void start(const Guest& guest) {
    create(guest);
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
  void wait_for(Kind kind) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return std::ranges::any_of(events_, [&](const MonitorEvent& event) { return event.kind == kind; });
    });
  }
  void wait_for_stopped() { wait_for(Kind::Stopped); }
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
  std::function<void(int vm_fd)> on_host_mrtd_;
  std::unique_ptr<Vm> vm_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MonitorEvent> events_;  ///< guarded by mutex_
};

}  // namespace virttdx::test
