// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/host_backends.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "backends/file_disk.h"
#include "backends/socket_port.h"
#include "backends/storage_daemon/daemon_disk.h"
#include "backends/terminal_port.h"
#include "vmm_backend/storage_daemon.h"

namespace virttdx {
namespace {

Result<> check_disk(const DiskConfig& config) {
  const auto unsupported = [&](std::string_view what) {
    return fail(Error::Code::ConfigUnsupported, "disk '{}': {}", config.target, what);
  };
  if (config.bus != DiskBus::VirtioBlk)
    return unsupported("on bus scsi there are CD-ROM drives only; use bus virtio");
  if (!config.source) return unsupported("a virtio disk has no empty drive; give it a source");
  return {};
}

// The kernel has no such device, or not for this user.
bool is_absent(const Error& error) {
  constexpr std::array kAbsent = {ENOENT, ENXIO, ENODEV, EACCES, EPERM};
  return std::ranges::count(kAbsent, error.system_errno()) != 0;
}

// The back end of a console as that of a serial port: a file takes the place of the log.
SerialConfig console_of(const ConsolePortConfig& config) {
  const bool is_file = config.backend == CharacterBackend::File;
  return {.port = static_cast<std::uint8_t>(config.port),
          .pty = config.backend == CharacterBackend::Pty,
          .log_file = is_file ? config.path : config.log_file,
          .log_append = is_file ? config.append : config.log_append};
}

}  // namespace

Result<std::unique_ptr<HostBackends>> HostBackends::create(const DeviceConfigs& configs,
                                                           const Surroundings& surroundings) {
  std::unique_ptr<HostBackends> backends(new HostBackends(surroundings));
  for (const auto& config : configs.disks) TRY(backends->add_disk(config));
  for (const auto& config : configs.scsi_controllers) TRY(backends->add_scsi_controller(config));
  for (const auto& config : configs.interfaces) TRY(backends->add_interface(config));
  for (const auto& config : configs.rngs) TRY(backends->add_rng(config));
  for (const auto& config : configs.virtio_serials) TRY(backends->add_console(config, configs));
  if (configs.vsock) TRY(backends->add_vsock(*configs.vsock));
  return backends;
}

Result<> HostBackends::add_disk(const DiskConfig& config) {
  if (config.bus == DiskBus::Scsi && config.kind == DiskKind::Cdrom) return add_cdrom(config);
  TRY(check_disk(config));
  disks_.push_back(TRY(open_disk(config)));
  return {};
}

Result<std::unique_ptr<QueuedDisk>> HostBackends::open_disk(const DiskConfig& config) {
  if (needs_storage_daemon(config)) return TRY(DaemonDisk::create(config, surroundings_of(config)));
  return TRY(FileDisk::create(config, surroundings_of(config)));
}

DiskSurroundings HostBackends::surroundings_of(const DiskConfig& config) {
  return {surroundings_.on_disk_error, limiter_of(config)};
}

// The first disk of a group brings the limits.
std::shared_ptr<DiskLimiter> HostBackends::limiter_of(const DiskConfig& config) {
  if (config.limits.group.empty()) return nullptr;
  auto& of_group = limiters_[config.limits.group];
  auto limiter = of_group.lock();
  if (!limiter) limiter = std::make_shared<DiskLimiter>(config.limits);
  of_group = limiter;
  return limiter;
}

Result<QueuedDisk*> HostBackends::find_disk(const std::string& id) const {
  const auto disk = std::ranges::find(disks_, id, [](const auto& each) { return each->id(); });
  if (disk == disks_.end()) return fail(Error::Code::NotFound, "the TD has no disk '{}'", id.substr(0, 60));
  return disk->get();
}

Result<BlockBackend*> HostBackends::open_for_running_td(const DiskConfig& config,
                                                        std::vector<UniqueFd> descriptors) {
  if (find_disk(config.id))
    return fail(Error::Code::AlreadyExists, "the TD has a disk '{}' already", config.id);
  TRY(check_disk(config));
  disks_.push_back(TRY(open_disk_confined(config, std::move(descriptors))));
  return disks_.back().get();
}

Result<std::unique_ptr<QueuedDisk>> HostBackends::open_disk_confined(const DiskConfig& config,
                                                                     std::vector<UniqueFd> descriptors) {
  auto surroundings = surroundings_of(config);
  if (needs_storage_daemon(config)) {
    auto connections = TRY(take_over_daemon(config, std::move(descriptors)));
    return TRY(DaemonDisk::create_on(config, std::move(connections), std::move(surroundings)));
  }
  surroundings.rings = &spare_rings_;
  return TRY(FileDisk::create(config, std::move(surroundings)));
}

void HostBackends::remove(const std::string& id) {
  std::erase_if(disks_, [&](const auto& disk) { return disk->id() == id; });
  std::erase_if(interfaces_, [&](const Interface& interface) { return interface.id == id; });
  std::erase_if(entropy_, [&](const Entropy& source) { return source.id == id; });
}

Result<> HostBackends::set_disk_limits(const std::string& id, const DiskLimits& limits) {
  const auto& limiter = TRY(find_disk(id))->limiter();
  limiter->set(limits);
  for (const auto& disk : disks_)
    if (disk->limiter() == limiter) disk->limits_changed();
  return {};
}

Result<> HostBackends::resize_disk(const std::string& id, std::uint64_t bytes) {
  return TRY(find_disk(id))->resize(bytes);
}

Result<> HostBackends::add_cdrom(const DiskConfig& config) {
  std::shared_ptr<CdromMedium> medium;
  if (config.source) {
    auto disk = TRY(open_disk(disk_of_cdrom(config)));
    medium = TRY(CdromMedium::create(std::move(disk)));
  }
  auto tray = std::make_unique<CdromTray>(medium, [this, id = config.id](bool is_open) {
    if (surroundings_.on_tray) surroundings_.on_tray(id, is_open);
  });
  drives_.push_back({config.id, std::move(tray), std::move(medium), nullptr});
  return {};
}

Result<HostBackends::Drive*> HostBackends::find_drive(const std::string& id) {
  const auto drive = std::ranges::find(drives_, id, &Drive::id);
  if (drive == drives_.end())
    return fail(Error::Code::NotFound, "the TD has no CD-ROM drive '{}'", id.substr(0, 60));
  return &*drive;
}

Result<bool> HostBackends::open_tray(const std::string& id, bool force) {
  return TRY(find_drive(id))->tray->open_from_outside(force);
}

Result<std::shared_ptr<CdromMedium>> HostBackends::open_medium(const DiskConfig& config,
                                                               std::vector<UniqueFd> descriptors) {
  if (!config.source) return nullptr;
  auto disk = TRY(open_disk_confined(disk_of_cdrom(config), std::move(descriptors)));
  return TRY(CdromMedium::create(std::move(disk)));
}

Result<> HostBackends::offer_medium(const DiskConfig& config, std::vector<UniqueFd> descriptors) {
  auto& drive = *TRY(find_drive(config.id));
  drive.offered.reset();
  drive.offered = TRY(open_medium(config, std::move(descriptors)));
  return {};
}

Result<> HostBackends::change_medium(const std::string& id) {
  auto& drive = *TRY(find_drive(id));
  if (!drive.tray->close_with(drive.offered))
    return fail(
        Error::Code::WrongState,
        "cannot change the medium of CD-ROM drive '{}': its tray is closed; open it first (tray-open)", id);
  drive.medium = std::exchange(drive.offered, nullptr);
  return {};
}

std::vector<std::string> HostBackends::open_trays() const {
  std::vector<std::string> open;
  for (const Drive& drive : drives_)
    if (drive.tray->is_open()) open.push_back(drive.id);
  return open;
}

Result<> HostBackends::add_scsi_controller(const ScsiControllerConfig& config) {
  auto worker = TRY(Worker::create(config.id));
  worker->start();
  scsi_controllers_.push_back({config.id, std::move(worker)});
  return {};
}

Result<> HostBackends::add_interface(const NetworkInterfaceConfig& config) {
  take_interface(config, TRY(open_network_device(config)));
  return {};
}

void HostBackends::take_interface(const NetworkInterfaceConfig& config,
                                  std::unique_ptr<NetworkDevice> backend) {
  backend->link().tell_of_cut([this, id = config.id] {
    if (surroundings_.on_link_lost) surroundings_.on_link_lost(id);
  });
  interfaces_.push_back({config.id, std::move(backend)});
  interfaces_.back().backend->link().set(config.link_up);
}

Result<NetworkBackendDevice*> HostBackends::open_for_running_td(const NetworkInterfaceConfig& config,
                                                                std::vector<UniqueFd> descriptors) {
  if (std::ranges::count(interfaces_, config.id, &Interface::id) != 0)
    return fail(Error::Code::AlreadyExists, "the TD has an interface '{}' already", config.id);
  auto side = TRY(take_over(config, std::move(descriptors)));
  take_interface(config, TRY(create_network_device(config, std::move(side))));
  return interfaces_.back().backend.get();
}

Result<> HostBackends::set_link(const std::string& id, bool up) {
  const auto interface = std::ranges::find(interfaces_, id, &Interface::id);
  if (interface == interfaces_.end())
    return fail(Error::Code::NotFound, "the TD has no interface '{}'", id.substr(0, 60));
  if (interface->backend->link().set(up)) return {};
  return fail(
      Error::Code::WrongState,
      "the link of interface '{}' cannot go up: what it was connected to has gone; start the TD anew, "
      "or attach another interface",
      id);
}

std::vector<std::string> HostBackends::lost_links() const {
  std::vector<std::string> lost;
  for (const Interface& interface : interfaces_)
    if (interface.backend->link().is_cut()) lost.push_back(interface.id);
  return lost;
}

Result<> HostBackends::add_rng(const RngConfig& config) {
  auto source = TRY(EntropyFile::create(config));
  entropy_.push_back({config.id, std::move(source)});
  return {};
}

Result<> HostBackends::add_vsock(const VsockConfig& config) {
  auto kernel = VhostVsock::create(config);
  if (kernel) {
    kernel_vsock_ = *std::move(kernel);
    return {};
  }
  if (!is_absent(kernel.error())) return tl::unexpected(kernel.error());
  if (surroundings_.vsock_socket.empty())
    return fail(Error::Code::ConfigUnsupported, "{}; load vhost_vsock, or give the monitor a --vsock-socket",
                kernel.error().message());
  vsock_ = TRY(UnixVsock::create(config, surroundings_.vsock_socket));
  return {};
}

Result<> HostBackends::add_console(const VirtioSerialConfig& config, const DeviceConfigs& configs) {
  auto worker = TRY(Worker::create(config.id));
  for (const auto& port : configs.console_ports)
    if (port.controller == config.index) TRY(add_port(port, *worker));
  worker->start();
  consoles_.push_back({config.id, std::move(worker)});
  return {};
}

Result<> HostBackends::add_port(const ConsolePortConfig& config, Worker& worker) {
  Port port{config.id, nullptr, nullptr};
  if (config.backend == CharacterBackend::UnixListen || config.backend == CharacterBackend::UnixConnect) {
    port.backend = TRY(SocketPort::create(config, worker));
  } else {
    port.console = TRY(SerialConsole::create(surroundings_.loop, console_of(config)));
    port.backend = std::make_unique<TerminalPort>(*port.console, worker);
  }
  ports_.push_back(std::move(port));
  return {};
}

DeviceBackends HostBackends::by_id() const {
  DeviceBackends backends;
  for (const auto& disk : disks_) backends.disks[disk->id()] = disk.get();
  for (const Drive& drive : drives_) backends.trays[drive.id] = drive.tray.get();
  for (const NamedWorker& scsi : scsi_controllers_) backends.scsi_workers[scsi.id] = scsi.worker.get();
  for (const Interface& interface : interfaces_) backends.interfaces[interface.id] = interface.backend.get();
  for (const Entropy& source : entropy_) backends.entropy_sources[source.id] = source.backend.get();
  for (const NamedWorker& console : consoles_) backends.console_workers[console.id] = console.worker.get();
  backends.vsock = vsock_.get();
  if (kernel_vsock_) backends.kernel_vsock = kernel_vsock_->offload();
  for (const Port& port : ports_) backends.console_ports[port.id] = port.backend.get();
  return backends;
}

std::optional<std::uint32_t> HostBackends::vsock_cid() const {
  if (kernel_vsock_) return kernel_vsock_->offload().guest_cid;
  if (vsock_) return vsock_->guest_cid();
  return std::nullopt;
}

DeviceStatistics HostBackends::statistics() const {
  DeviceStatistics statistics;
  for (const auto& disk : disks_) statistics.disks.push_back(disk->statistics());
  for (const Drive& drive : drives_)
    if (drive.medium) statistics.disks.push_back(drive.medium->statistics());
  for (const Interface& interface : interfaces_)
    statistics.interfaces.push_back(interface.backend->statistics());
  return statistics;
}

std::vector<ConsolePortStatus> HostBackends::console_ports() const {
  std::vector<ConsolePortStatus> statuses;
  for (const Port& port : ports_) {
    if (!port.console) continue;
    auto status = port.console->status();
    statuses.push_back({port.id, std::move(status.pty_path), status.attached});
  }
  return statuses;
}

Result<UniqueFd> HostBackends::attach_console(const std::string& id, bool force) {
  const auto port = std::ranges::find_if(
      ports_, [&](const Port& candidate) { return candidate.id == id && candidate.console; });
  if (port == ports_.end())
    return fail(Error::Code::NotFound, "the TD has no console port '{}' that is not a socket of its own",
                id.substr(0, 60));
  return port->console->attach(force);
}

}  // namespace virttdx
