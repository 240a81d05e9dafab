// SPDX-License-Identifier: GPL-2.0-or-later
// One monitor: a Vm, its serial consoles, its control socket, the signals, joined by one event loop.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include "backends/host_backends.h"
#include "control/control_server.h"
#include "control/event_loop.h"
#include "control/host_terminal.h"
#include "control/paced_task.h"
#include "control/serial_console.h"
#include "machine/vm.h"
#include "options.h"
#include "softhost/soft_host.h"

namespace virttdx {

/// The software TDX host as the options want it: with faults, playing a recorded host.
Result<std::unique_ptr<softhost::SoftHost>> open_soft_host(const Options& options);

/// Runs one TD. All functions on the thread that created it.
class Monitor final : public ControlHandler {
 public:
  /// Opens everything that the TD needs outside of the kernel's TDX interface: firmware, serial ports,
  /// control socket. Blocks the signals that run() takes.
  static Result<std::unique_ptr<Monitor>> create(const VmConfig& config, const Options& options);
  ~Monitor() override;

  /// Launches the TD and serves it until it ends; SIGTERM, SIGINT and SIGHUP end it. Returns why it ended.
  StopReason run();

 private:
  Monitor() = default;
  Result<> open_consoles(const VmConfig& config);
  Result<> open_host(HostKind kind, const Options& options);
  Result<> open_vm(const VmConfig& config);
  Result<> open_signals();
  Result<> open_terminal();
  Result<> open_devices(const VmConfig& config, const Options& options);
  void launch();
  void on_vm_event(const MonitorEvent& event);
  void confine();
  void on_event(const MonitorEvent& event);
  void announce(const MonitorEvent& event);
  void request_stop();
  Result<> plug(const std::string& id, const DeviceToPlug& device);

  MonitorStatus status() override;
  Result<> pause() override;
  Result<> resume() override;
  Result<> stop() override;
  Result<> powerdown(bool reboot) override;
  Result<> reset() override;
  Result<MonitorMeasurements> measurements() override;
  Result<CpuidReport> cpuid() override;
  DeviceStatistics device_statistics() override;
  Result<HypervisorStatistics> hypervisor_statistics() override;
  ExitStatistics trace() override;
  Result<UniqueFd> console_attach(std::uint8_t port, bool force) override;
  Result<UniqueFd> console_attach(const std::string& device, bool force) override;
  Result<> device_add(const DiskConfig& disk, std::vector<UniqueFd> descriptors) override;
  Result<> device_add(const NetworkInterfaceConfig& interface, std::vector<UniqueFd> descriptors) override;
  Result<> device_remove(const std::string& id) override;
  Result<> link_set(const std::string& id, bool up) override;
  Result<bool> tray_open(const std::string& id, bool force) override;
  Result<> medium_offer(const DiskConfig& disk, std::vector<UniqueFd> descriptors) override;
  Result<> medium_change(const std::string& id) override;
  Result<> disk_limits(const std::string& id, const DiskLimits& limits) override;
  Result<> disk_resize(const std::string& id, std::uint64_t bytes) override;
  Result<> set_actions(const LifecycleActions& actions) override;

  // In the order of dependence: each is destroyed before what it uses.
  std::unique_ptr<EventLoop> loop_;
  UniqueFd signals_;
  std::unique_ptr<KernelCalls> kernel_;
  softhost::SoftHost* soft_host_ = nullptr;  // kernel_, when it is one
  std::map<std::uint8_t, std::unique_ptr<SerialConsole>> consoles_;
  std::unique_ptr<HostBackends> devices_;
  std::unique_ptr<Vm> vm_;
  std::unique_ptr<ControlServer> server_;
  std::unique_ptr<HostTerminal> terminal_;
  std::unique_ptr<PacedTask> rtc_announcement_;
  MonitorEvent rtc_event_;  // the last one
  std::thread launcher_;
  bool confined_ = false;  // on_vm_event only
  StopReason stop_reason_ = StopReason::None;
};

}  // namespace virttdx
