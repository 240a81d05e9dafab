// SPDX-License-Identifier: GPL-2.0-or-later
// A virtual machine over its whole life: a TD with its machine, launched, paused, reset (a new TD each time),
// stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "devices/device_backends.h"
#include "devices/serial/serial_backend.h"
#include "kvm/kernel_calls.h"
#include "machine/device_to_plug.h"
#include "support/result.h"
#include "vmm_backend/exit_statistics.h"
#include "vmm_backend/hypervisor_statistics.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// What a Vm needs from its surroundings. References and back ends outlive it.
struct VmSurroundings {
  KernelCalls& kernel;
  /// Port number (VmConfig::serials) to back end; kept over resets.
  std::map<std::uint8_t, SerialBackend*> serials;
  /// Of VmConfig::devices; kept over resets.
  DeviceBackends devices{};
  /// Told every event, in order, on a thread of the Vm's; must not wait for the Vm.
  std::function<void(const MonitorEvent&)> on_event;
  /// MRTD as the host computed it, asked with the VM's descriptor after launch; empty for a host that does
  /// not tell.
  std::function<std::optional<Measurement>(int vm_fd)> host_mrtd;
};

/// Any thread, except that on_event must not call functions that wait. pause() to set_actions() run one
/// after the other on a thread of the Vm's and wait for what runs there, at most one launch.
class Vm {
 public:
  /// Checks the configuration, reads the firmware and, where given, kernel and initrd. Nothing of the kernel
  /// is touched.
  static Result<std::unique_ptr<Vm>> create(const VmConfig& config, VmSurroundings surroundings);
  virtual ~Vm() = default;  ///< stops

  /// Launches the TD and lets it run, or leaves it paused (VmConfig::start_paused). Once. A failed launch
  /// leaves the Vm stopped, with LaunchFailed and the error as its message; the event comes too.
  virtual Result<> start() = 0;
  /// WrongState unless running / paused.
  virtual Result<> pause() = 0;
  virtual Result<> resume() = 0;
  /// Ends the TD at once. Nothing to do when stopped already.
  virtual Result<> stop() = 0;
  /// Presses the ACPI power button. With `reboot` a power-off of the guest counts as its reset, until it has
  /// been reset, the actions are set, or the button is pressed without. WrongState when stopped.
  virtual Result<> powerdown(bool reboot) = 0;
  /// As the guest's own reset: VmConfig::on_reset says what follows. WrongState when stopped.
  virtual Result<> reset() = 0;
  /// Puts a device into an empty slot. Its back end lives until DeviceRemoved with its id, or as long as this
  /// object. The TD has it after a reset too. WrongState when stopped; else as validate() and VirtioDevices.
  virtual Result<> plug(const DeviceToPlug& device) = 0;
  /// Asks the guest to let a device go; DeviceRemoved comes when it has, which may be never.
  virtual Result<> request_unplug(const std::string& id) = 0;
  /// The size of a disk's back end has changed: tells the guest. Errors: NotFound.
  virtual Result<> disk_resized(const std::string& id) = 0;
  /// What follows a power-off, a reset and a crash from now on; a reboot asked for by powerdown() is not.
  virtual Result<> set_actions(const LifecycleActions& actions) = 0;
  /// An operation of a disk failed. Announces it and, when it is held (Stop), pauses the TD; resume() begins
  /// it again. Returns at once.
  virtual void disk_failed(MonitorEvent event) = 0;

  /// Never waits. `pid` and `serials` are the monitor's to fill in.
  virtual MonitorStatus status() const = 0;
  /// Of the TD launched last. WrongState before the first launch.
  virtual Result<MonitorMeasurements> measurements() const = 0;
  virtual Result<CpuidReport> cpuid() const = 0;
  /// Counted over resets. WrongState without a TD: before the launch, and when stopped.
  virtual Result<HypervisorStatistics> statistics() const = 0;
  /// Exits of the vCPUs since tracing went on, which this does for ten seconds. Kept over resets.
  virtual ExitStatistics trace() = 0;
};

}  // namespace virttdx
