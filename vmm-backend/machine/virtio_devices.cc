// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/virtio_devices.h"

#include <algorithm>

#include "devices/virtio_blk/virtio_blk.h"
#include "devices/virtio_console/virtio_console.h"
#include "devices/virtio_net/virtio_net.h"
#include "devices/virtio_rng/virtio_rng.h"
#include "devices/virtio_scsi/virtio_scsi.h"
#include "devices/virtio_vsock/virtio_vsock.h"
#include "support/log.h"

namespace virttdx {
namespace {

template <typename Backend>
Result<Backend*> find_backend(const std::map<std::string, Backend*>& backends, const std::string& id) {
  const auto found = backends.find(id);
  if (found == backends.end()) return fail(Error::Code::Internal, "device '{}' has no back end", id);
  return found->second;
}

BlockBackend* disk_of(const DiskToPlug& device) { return device.backend; }
BlockBackend* disk_of(const InterfaceToPlug&) { return nullptr; }

}  // namespace

Result<std::unique_ptr<VirtioDevices>> VirtioDevices::create(const DeviceConfigs& configs, Parts parts) {
  std::unique_ptr<VirtioDevices> devices(new VirtioDevices(std::move(parts)));
  TRY(devices->add_all(configs));
  return devices;
}

VirtioDevices::~VirtioDevices() {
  for (Device& device : devices_) {
    device.function.reset();
    leave_memory(device.disk);
  }
}

void VirtioDevices::leave_memory(BlockBackend* disk) {
  if (disk == nullptr) return;
  if (const auto left = disk->use_memory({}); !left) log::warning("{}", left.error().message());
}

Result<> VirtioDevices::add_all(const DeviceConfigs& configs) {
  for (const auto& config : configs.root_ports) add_root_port(config);
  for (const auto& config : configs.disks)
    if (config.bus == DiskBus::VirtioBlk) TRY(add_disk(config));
  for (const auto& config : configs.scsi_controllers) TRY(add_scsi_controller(config, configs.disks));
  for (const auto& config : configs.interfaces) TRY(add_interface(config));
  for (const auto& config : configs.rngs) TRY(add_rng(config));
  for (const auto& config : configs.virtio_serials) TRY(add_console(config, configs.console_ports));
  if (configs.vsock) TRY(add_vsock(*configs.vsock));
  return {};
}

void VirtioDevices::add_root_port(const PciRootPortConfig& config) {
  const auto gone = [this, bus = config.bus] { parts_.on_slot_power_off(bus); };
  auto& port = ports_.emplace_back(std::make_unique<PcieRootPort>(
      PcieRootPortParts{.slot = config.chassis,
                        .port = config.port,
                        .hot_plug = config.hotplug && parts_.on_slot_power_off != nullptr,
                        .interrupts = parts_.interrupts,
                        .on_power_off = gone}));
  parts_.root.add(config.address.slot, config.address.function, *port);
  ports_by_bus_[config.bus] = port.get();
}

Result<> VirtioDevices::add_disk(const DiskConfig& config) {
  auto* const backend = TRY(find_backend(parts_.backends.disks, config.id));
  auto device = TRY(make(*backend));
  return add(config.id, config.address, std::move(device), backend);
}

Result<std::unique_ptr<VirtioDevice>> VirtioDevices::make(BlockBackend& disk) const {
  TRY(disk.use_memory(parts_.memory.files()));
  return std::make_unique<VirtioBlk>(disk);
}

Result<> VirtioDevices::add_scsi_controller(const ScsiControllerConfig& config,
                                            const std::vector<DiskConfig>& disks) {
  std::vector<ScsiUnitParts> units;
  for (const auto& disk : disks) {
    if (disk.bus != DiskBus::Scsi || disk.scsi.controller != config.index) continue;
    auto* const tray = TRY(find_backend(parts_.backends.trays, disk.id));
    units.push_back({.target = disk.scsi.target, .lun = disk.scsi.lun, .tray = tray, .serial = disk.serial});
  }
  auto& worker = *TRY(find_backend(parts_.backends.scsi_workers, config.id));
  return add(config.id, config.address,
             std::make_unique<VirtioScsi>(worker, config.queues, std::move(units)));
}

Result<> VirtioDevices::add_interface(const NetworkInterfaceConfig& config) {
  auto* const backend = TRY(find_backend(parts_.backends.interfaces, config.id));
  auto device = TRY(make(*backend));
  return add(config.id, config.address, std::move(device));
}

Result<std::unique_ptr<VirtioDevice>> VirtioDevices::make(NetworkBackendDevice& interface) const {
  const auto memory = parts_.memory.files();
  for (std::size_t pair = 0; pair < interface.queue_pairs(); ++pair)
    if (auto* const offload = interface.offload(pair)) TRY(offload->use_memory(memory));
  return std::make_unique<VirtioNet>(interface);
}

Result<> VirtioDevices::add_rng(const RngConfig& config) {
  return add(config.id, config.address,
             std::make_unique<VirtioRng>(*TRY(find_backend(parts_.backends.entropy_sources, config.id))));
}

Result<> VirtioDevices::add_console(const VirtioSerialConfig& config,
                                    const std::vector<ConsolePortConfig>& ports) {
  std::vector<ConsolePortParts> parts;
  for (const auto& port : ports) {
    if (port.controller != config.index) continue;
    auto* const backend = TRY(find_backend(parts_.backends.console_ports, port.id));
    parts.push_back({.number = port.port,
                     .is_console = port.console,
                     .name = port.name,
                     .backend = backend,
                     .on_guest_open = [this, id = port.id](bool is_open) {
                       if (parts_.on_port) parts_.on_port(id, is_open);
                     }});
  }
  auto& worker = *TRY(find_backend(parts_.backends.console_workers, config.id));
  return add(config.id, config.address, std::make_unique<VirtioConsole>(worker, config.max_ports, parts));
}

Result<> VirtioDevices::add_vsock(const VsockConfig& config) {
  const auto& offload = parts_.backends.kernel_vsock;
  if (offload.queues != nullptr) {
    TRY(offload.queues->use_memory(parts_.memory.files()));
    return add(config.id, config.address, std::make_unique<OffloadedVsock>(offload));
  }
  if (parts_.backends.vsock == nullptr)
    return fail(Error::Code::Internal, "device '{}' has no back end", config.id);
  return add(config.id, config.address, std::make_unique<VirtioVsock>(*parts_.backends.vsock));
}

std::unique_ptr<VirtioPci> VirtioDevices::make_function(const std::string& id, PciExpressPlace place,
                                                        VirtioDevice& device) {
  return std::make_unique<VirtioPci>(device, VirtioPciParts{.name = id,
                                                            .place = place,
                                                            .mmio = parts_.mmio,
                                                            .memory = parts_.memory,
                                                            .interrupts = parts_.interrupts,
                                                            .doorbells = parts_.doorbells,
                                                            .irqfds = parts_.irqfds});
}

Result<> VirtioDevices::add(const std::string& id, const PciAddress& address,
                            std::unique_ptr<VirtioDevice> device, BlockBackend* disk) {
  const auto port = ports_by_bus_.find(address.bus);
  if (address.bus != 0 && port == ports_by_bus_.end())
    return fail(Error::Code::InvalidArgument, "device '{}' is on PCI bus {}, which has no root port", id,
                address.bus);
  const auto place = address.bus == 0 ? PciExpressPlace::RootComplex : PciExpressPlace::BehindPort;
  auto function = make_function(id, place, *device);
  if (address.bus == 0)
    parts_.root.add(address.slot, address.function, *function);
  else
    port->second->add(address.function, *function);
  devices_.push_back({id, address, disk, std::move(device), std::move(function)});
  return {};
}

Result<PcieRootPort*> VirtioDevices::hot_plug_port(const std::string& id, const PciAddress& address) const {
  const auto port = ports_by_bus_.find(address.bus);
  if (port == ports_by_bus_.end() || !port->second->is_hot_plug())
    return fail(Error::Code::ConfigUnsupported,
                "device '{}': bus {} is not behind a root port for hot-plug; use one that is", id,
                address.bus);
  return port->second;
}

Result<PcieRootPort*> VirtioDevices::empty_port(const std::string& id, const PciAddress& address) const {
  auto* const port = TRY(hot_plug_port(id, address));
  if (!port->is_empty())
    return fail(Error::Code::InvalidArgument, "device '{}': PCI bus {} is taken", id, address.bus);
  return port;
}

Result<> VirtioDevices::plug(const DeviceToPlug& device) {
  const auto plug_in = [this](const auto& each) -> Result<> {
    auto* const port = TRY(empty_port(each.config.id, each.config.address));
    auto made = TRY(make(*each.backend));
    auto function = make_function(each.config.id, PciExpressPlace::BehindPort, *made);
    parts_.root.while_quiet([&] { port->plug(*function); });
    devices_.push_back(
        {each.config.id, each.config.address, disk_of(each), std::move(made), std::move(function)});
    return {};
  };
  return std::visit(plug_in, device);
}

Result<> VirtioDevices::request_unplug(const std::string& id) {
  const auto device = std::ranges::find(devices_, id, &Device::id);
  if (device == devices_.end()) return fail(Error::Code::NotFound, "the TD has no device '{}'", id);
  auto* const port = TRY(hot_plug_port(id, device->address));
  parts_.root.while_quiet([&] { port->press_attention_button(); });
  return {};
}

Result<> VirtioDevices::configuration_changed(const std::string& id) {
  const auto device = std::ranges::find(devices_, id, &Device::id);
  if (device == devices_.end()) return fail(Error::Code::NotFound, "the TD has no device '{}'", id);
  device->function->configuration_changed();
  return {};
}

std::string VirtioDevices::unplug(std::uint8_t bus) {
  const auto device = std::ranges::find(devices_, bus, [](const Device& each) { return each.address.bus; });
  if (device == devices_.end()) return {};
  parts_.root.while_quiet([&] { ports_by_bus_.at(bus)->unplug(); });
  device->function.reset();
  leave_memory(device->disk);
  std::string id = std::move(device->id);
  devices_.erase(device);
  return id;
}

}  // namespace virttdx
