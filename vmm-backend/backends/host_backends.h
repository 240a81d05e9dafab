// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that a TD's devices end in on the host: the list that names every kind of back end.
#pragma once

#include <memory>
#include <vector>

#include "backends/cdrom_file.h"
#include "backends/disk_device.h"
#include "backends/entropy_file.h"
#include "backends/network_device.h"
#include "backends/vhost_kernel/vhost_vsock.h"
#include "backends/vsock/unix_vsock.h"
#include "backends/worker.h"
#include "control/serial_console.h"
#include "devices/device_backends.h"
#include "support/result.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// Opens files and makes threads and rings before the monitor is confined; lives until its end. Any thread.
class HostBackends {
 public:
  /// Errors name the device and the remedy. ConfigUnsupported: a kind of back end that there is not.
  /// `loop` serves consoles' terminals and outlives this object; this function runs on its thread.
  /// `vsock_socket`: UnixVsock's; a configuration with a vsock needs it where the kernel has no vhost-vsock.
  static Result<std::unique_ptr<HostBackends>> create(const DeviceConfigs& configs, EventLoop& loop,
                                                      const std::string& vsock_socket = {});
  HostBackends(const HostBackends&) = delete;
  HostBackends& operator=(const HostBackends&) = delete;

  /// By device id. Valid as long as this object.
  DeviceBackends by_id() const;
  DeviceStatistics statistics() const;
  /// Of a monitor that is confined: no process can be started any more and no ring be made, so its image is
  /// served by a thread. Errors: ConfigUnsupported (it would need a storage daemon), AlreadyExists (the id).
  Result<BlockBackend*> open_for_running_td(DiskConfig config);
  /// Closes what a device ends in, once no machine uses it. Nothing to do without such a device.
  void remove(const std::string& id);
  /// Plugs an interface's cable in or out, until it is set again. NotFound: no such interface.
  Result<> set_link(const std::string& id, bool up);
  /// Context id of the guest. Nothing without a vsock.
  std::optional<std::uint32_t> vsock_cid() const;
  /// Console ports that are no sockets; on the loop's thread.
  std::vector<ConsolePortStatus> console_ports() const;
  /// SerialConsole::attach() of one of them; on the loop's thread.
  Result<UniqueFd> attach_console(const std::string& id, bool force);

 private:
  HostBackends() = default;
  Result<> add_disk(const DiskConfig& config);
  Result<> add_cdrom(const DiskConfig& config);
  Result<> add_scsi_controller(const ScsiControllerConfig& config);
  Result<> add_interface(const NetworkInterfaceConfig& config);
  Result<> add_rng(const RngConfig& config);
  Result<> add_vsock(const VsockConfig& config, const std::string& socket);
  Result<> add_console(const VirtioSerialConfig& config, const DeviceConfigs& configs, EventLoop& loop);
  Result<> add_port(const ConsolePortConfig& config, Worker& worker, EventLoop& loop);

  struct Disk {
    std::string id;
    std::unique_ptr<DiskDevice> backend;
  };
  struct Medium {
    std::string id;
    std::unique_ptr<CdromFile> backend;
  };
  struct Interface {
    std::string id;
    std::unique_ptr<NetworkDevice> backend;
  };
  struct Entropy {
    std::string id;
    std::unique_ptr<EntropyFile> backend;
  };
  struct Port {
    std::string id;
    std::unique_ptr<SerialConsole> console;  ///< of a TerminalPort
    std::unique_ptr<PortBackend> backend;
  };
  struct NamedWorker {
    std::string id;
    std::unique_ptr<Worker> worker;
  };
  std::vector<Disk> disks_;
  std::vector<Medium> media_;
  std::vector<Interface> interfaces_;
  std::vector<Entropy> entropy_;
  std::vector<Port> ports_;
  std::unique_ptr<UnixVsock> vsock_;  ///< where there is no kernel_vsock_
  std::unique_ptr<VhostVsock> kernel_vsock_;
  // Behind what their threads use.
  std::vector<NamedWorker> scsi_controllers_;
  std::vector<NamedWorker> consoles_;
};

}  // namespace virttdx
