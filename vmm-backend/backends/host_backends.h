// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that a TD's devices end in on the host: the list that names every kind of back end.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/cdrom_medium.h"
#include "backends/entropy_file.h"
#include "backends/file_ring.h"
#include "backends/network_device.h"
#include "backends/queued_disk.h"
#include "backends/vhost_kernel/vhost_vsock.h"
#include "backends/vsock/unix_vsock.h"
#include "backends/worker.h"
#include "control/serial_console.h"
#include "devices/device_backends.h"
#include "devices/scsi/cdrom_tray.h"
#include "support/result.h"
#include "vmm_backend/device_config.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// Opens files and makes threads and rings before the monitor is confined; lives until its end. Any thread.
class HostBackends {
 public:
  struct Surroundings {
    EventLoop& loop;                          ///< serves consoles' terminals; outlives this object
    std::string vsock_socket = {};            ///< UnixVsock's; needed where the kernel has no vhost-vsock
    DiskErrors::Observer on_disk_error = {};  ///< on any thread
    std::size_t spare_rings = 0;              ///< for queues of disks that are added
    /// A CD-ROM drive's, by its id; on any thread.
    std::function<void(const std::string& id, bool is_open)> on_tray = {};
    /// An interface's host side has gone; on any thread.
    std::function<void(const std::string& id)> on_link_lost = {};
  };
  /// On the loop's thread. Errors name the device and the remedy. ConfigUnsupported: a kind of back end that
  /// there is not.
  static Result<std::unique_ptr<HostBackends>> create(const DeviceConfigs& configs,
                                                      const Surroundings& surroundings);
  HostBackends(const HostBackends&) = delete;
  HostBackends& operator=(const HostBackends&) = delete;

  /// By device id. Valid as long as this object.
  DeviceBackends by_id() const;
  DeviceStatistics statistics() const;
  /// Of a monitor that is confined: no ring can be made any more, so a file has spare ones, or threads; and
  /// no process be started, so `descriptors` are what another one gave away with a storage daemon
  /// (started_daemon.h). Errors: InvalidArgument (others than it needs), AlreadyExists (the id).
  Result<BlockBackend*> open_for_running_td(const DiskConfig& config, std::vector<UniqueFd> descriptors);
  /// Of such a monitor too: another process has opened the host side, and `descriptors` are what it gave
  /// away. Errors: InvalidArgument (others than it needs), AlreadyExists (the id).
  Result<NetworkBackendDevice*> open_for_running_td(const NetworkInterfaceConfig& config,
                                                    std::vector<UniqueFd> descriptors);
  /// Opens the tray of a CD-ROM drive. False: the guest has locked it, and is asked to open it, which may
  /// take its time; `force` does not ask. Errors: NotFound.
  Result<bool> open_tray(const std::string& id, bool force);
  /// Opens what change_medium() is to put into a CD-ROM drive, in place of what was offered before; without a
  /// source that is nothing. `descriptors` as those of a disk for a running TD. Errors: NotFound, those of a
  /// disk.
  Result<> offer_medium(const DiskConfig& config, std::vector<UniqueFd> descriptors);
  /// Puts what was offered, or nothing, into an open tray in place of what lies there, and closes it. Errors:
  /// NotFound, WrongState (it is closed).
  Result<> change_medium(const std::string& id);
  /// Ids of the CD-ROM drives whose trays are open.
  std::vector<std::string> open_trays() const;
  /// Closes what a device ends in, once no machine uses it. Nothing to do without such a device.
  void remove(const std::string& id);
  /// Plugs an interface's cable in or out, until it is set again. Errors: NotFound, WrongState (what it led
  /// to has gone).
  Result<> set_link(const std::string& id, bool up);
  /// Ids of the interfaces whose host side has gone.
  std::vector<std::string> lost_links() const;
  /// Context id of the guest. Nothing without a vsock.
  std::optional<std::uint32_t> vsock_cid() const;
  /// In place of those that the disk has; its group's disks have them too. Errors: NotFound.
  Result<> set_disk_limits(const std::string& id, const DiskLimits& limits);
  /// QueuedDisk::resize(). Errors: NotFound.
  Result<> resize_disk(const std::string& id, std::uint64_t bytes);
  /// Console ports that are no sockets; on the loop's thread.
  std::vector<ConsolePortStatus> console_ports() const;
  /// SerialConsole::attach() of one of them; on the loop's thread.
  Result<UniqueFd> attach_console(const std::string& id, bool force);

 private:
  struct Drive {
    std::string id;
    std::unique_ptr<CdromTray> tray;
    std::shared_ptr<CdromMedium> medium;   ///< nullptr: empty
    std::shared_ptr<CdromMedium> offered;  ///< by offer_medium()
  };
  explicit HostBackends(Surroundings surroundings)
      : surroundings_(std::move(surroundings)), spare_rings_(surroundings_.spare_rings) {}
  Result<> add_disk(const DiskConfig& config);
  Result<> add_cdrom(const DiskConfig& config);
  Result<> add_scsi_controller(const ScsiControllerConfig& config);
  Result<> add_interface(const NetworkInterfaceConfig& config);
  void take_interface(const NetworkInterfaceConfig& config, std::unique_ptr<NetworkDevice> backend);
  Result<> add_rng(const RngConfig& config);
  Result<> add_vsock(const VsockConfig& config);
  Result<> add_console(const VirtioSerialConfig& config, const DeviceConfigs& configs);
  Result<> add_port(const ConsolePortConfig& config, Worker& worker);
  Result<std::unique_ptr<QueuedDisk>> open_disk(const DiskConfig& config);
  Result<std::unique_ptr<QueuedDisk>> open_disk_confined(const DiskConfig& config,
                                                         std::vector<UniqueFd> descriptors);
  Result<std::shared_ptr<CdromMedium>> open_medium(const DiskConfig& config,
                                                   std::vector<UniqueFd> descriptors);
  DiskSurroundings surroundings_of(const DiskConfig& config);
  std::shared_ptr<DiskLimiter> limiter_of(const DiskConfig& config);
  Result<QueuedDisk*> find_disk(const std::string& id) const;
  Result<Drive*> find_drive(const std::string& id);

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
  const Surroundings surroundings_;
  SpareRings spare_rings_;
  std::vector<std::unique_ptr<QueuedDisk>> disks_;
  std::map<std::string, std::weak_ptr<DiskLimiter>> limiters_;  ///< by the name of their group
  std::vector<Drive> drives_;
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
