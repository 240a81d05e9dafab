// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_statistics.h"
#include "vmm_backend/exit_statistics.h"
#include "vmm_backend/hypervisor_statistics.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx {

/// What the commands of a control socket do. Called on the loop's thread; must not block for long, all
/// clients wait meanwhile.
class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  virtual MonitorStatus status() = 0;
  virtual Result<> pause() = 0;
  virtual Result<> resume() = 0;
  virtual Result<> stop() = 0;
  /// With `reboot` a power-off that follows counts as a reset (Vm::powerdown()).
  virtual Result<> powerdown(bool reboot) = 0;
  virtual Result<> reset() = 0;
  virtual Result<MonitorMeasurements> measurements() = 0;
  virtual Result<CpuidReport> cpuid() = 0;
  virtual DeviceStatistics device_statistics() = 0;
  virtual Result<HypervisorStatistics> hypervisor_statistics() = 0;
  /// Exits since tracing went on; keeps it on for a while.
  virtual ExitStatistics trace() = 0;
  /// The client's end of a serial port.
  virtual Result<UniqueFd> console_attach(std::uint8_t port, bool force) = 0;
  /// The client's end of a virtio console's port, by the id of its device.
  virtual Result<UniqueFd> console_attach(const std::string& device, bool force) = 0;
  /// Opens the disk and puts it into the slot of its address. `descriptors`: of its storage daemon, if it
  /// needs one (backends/storage_daemon/started_daemon.h).
  virtual Result<> device_add(const DiskConfig& disk, std::vector<UniqueFd> descriptors) = 0;
  /// The same with an interface, whose host side came as descriptors (backends/interface_host_side.h).
  virtual Result<> device_add(const NetworkInterfaceConfig& interface, std::vector<UniqueFd> descriptors) = 0;
  /// Asks the guest to let a device go.
  virtual Result<> device_remove(const std::string& id) = 0;
  /// Plugs the cable of an interface in or out.
  virtual Result<> link_set(const std::string& id, bool up) = 0;
  /// The medium of a CD-ROM drive, as HostBackends has it. `descriptors` as device_add().
  virtual Result<> medium_offer(const DiskConfig& disk, std::vector<UniqueFd> descriptors) = 0;
  virtual Result<bool> tray_open(const std::string& id, bool force) = 0;
  virtual Result<> medium_change(const std::string& id) = 0;
  /// Of the disk with this id; those of its group's disks with it.
  virtual Result<> disk_limits(const std::string& id, const DiskLimits& limits) = 0;
  /// Makes the image so large, and tells the guest.
  virtual Result<> disk_resize(const std::string& id, std::uint64_t bytes) = 0;
  virtual Result<> set_actions(const LifecycleActions& actions) = 0;
};

}  // namespace virttdx
