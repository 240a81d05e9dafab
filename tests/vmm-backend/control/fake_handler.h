// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <map>

#include "control/control_handler.h"

namespace virttdx::test {

/// Keeps what it is told.
class FakeHandler : public ControlHandler {
 public:
  MonitorStatus status() override {
    MonitorStatus status;
    status.state = state;
    status.message = padding;
    return status;
  }
  Result<> pause() override {
    state = VmState::Paused;
    return {};
  }
  Result<> resume() override { return fail(Error::Code::WrongState, "not paused"); }
  Result<> stop() override { return {}; }
  Result<> powerdown(bool) override { return {}; }
  Result<> reset() override { return {}; }
  Result<MonitorMeasurements> measurements() override { return MonitorMeasurements{}; }
  Result<CpuidReport> cpuid() override { return CpuidReport{}; }
  DeviceStatistics device_statistics() override { return {}; }
  Result<HypervisorStatistics> hypervisor_statistics() override { return HypervisorStatistics{}; }
  ExitStatistics trace() override {
    return {.elapsed_ns = 5,
            .untold = 0,
            .exits = {{.reason = "KVM_EXIT_IO",
                       .td_vmcall = "Instruction.IO",
                       .port = 0x3F8,
                       .gpa = {},
                       .write = true,
                       .count = 2,
                       .total_ns = 3,
                       .maximum_ns = 2,
                       .histogram = {1, 1}}}};
  }
  Result<UniqueFd> console_attach(std::uint8_t port, bool force) override {
    attached_port = port;
    attached_force = force;
    std::array<int, 2> pair{};
    if (::pipe(pair.data()) != 0) return fail_errno(errno, "pipe");
    const UniqueFd writer(pair[1]);
    EXPECT_EQ(::write(writer.get(), "Shell>", 6), 6);
    return UniqueFd(pair[0]);
  }
  Result<UniqueFd> console_attach(const std::string& device, bool force) override {
    attached_device = device;
    return console_attach(std::uint8_t{0}, force);
  }
  Result<> device_add(const DiskConfig& disk, std::vector<UniqueFd> descriptors) override {
    added = disk;
    came_with_it = std::move(descriptors);
    return {};
  }
  Result<> device_add(const NetworkInterfaceConfig& interface, std::vector<UniqueFd> descriptors) override {
    added_interface = interface;
    came_with_it = std::move(descriptors);
    return {};
  }
  Result<> device_remove(const std::string& id) override {
    removed = id;
    return {};
  }
  Result<> link_set(const std::string& id, bool up) override {
    if (id != "net0") return fail(Error::Code::NotFound, "no interface");
    link_is_up = up;
    return {};
  }
  Result<bool> tray_open(const std::string& id, bool force) override {
    if (id != "scsi0-0-0-0") return fail(Error::Code::NotFound, "no drive");
    return force;
  }
  Result<> medium_offer(const DiskConfig& disk, std::vector<UniqueFd> descriptors) override {
    offered = disk;
    came_with_it = std::move(descriptors);
    return {};
  }
  Result<> medium_change(const std::string& id) override {
    changed = id;
    return {};
  }
  Result<> disk_limits(const std::string& id, const DiskLimits& new_limits) override {
    limits[id] = new_limits;
    return {};
  }
  Result<> disk_resize(const std::string& id, std::uint64_t bytes) override {
    sizes[id] = bytes;
    return {};
  }
  Result<> set_actions(const LifecycleActions& new_actions) override {
    actions = new_actions;
    return {};
  }

  bool link_is_up = true;
  VmState state = VmState::Running;
  std::string padding;
  int attached_port = -1;
  std::string attached_device;
  bool attached_force = false;
  DiskConfig added, offered;
  std::string changed;
  NetworkInterfaceConfig added_interface;
  std::vector<UniqueFd> came_with_it;
  std::string removed;
  std::map<std::string, DiskLimits> limits;
  std::map<std::string, std::uint64_t> sizes;
  LifecycleActions actions;
};

}  // namespace virttdx::test
