// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine/device_to_plug.h"

namespace virttdx {

void add(const DeviceToPlug& device, DeviceConfigs& configs) {
  if (const auto* const disk = std::get_if<DiskToPlug>(&device)) configs.disks.push_back(disk->config);
  if (const auto* const interface = std::get_if<InterfaceToPlug>(&device))
    configs.interfaces.push_back(interface->config);
}

void add(const DeviceToPlug& device, DeviceBackends& backends) {
  if (const auto* const disk = std::get_if<DiskToPlug>(&device))
    backends.disks[disk->config.id] = disk->backend;
  if (const auto* const interface = std::get_if<InterfaceToPlug>(&device))
    backends.interfaces[interface->config.id] = interface->backend;
}

void remove(const std::string& id, DeviceConfigs& configs, DeviceBackends& backends) {
  const auto is_it = [&](const auto& device) { return device.id == id; };
  std::erase_if(configs.disks, is_it);
  std::erase_if(configs.interfaces, is_it);
  std::erase_if(configs.rngs, is_it);
  std::erase_if(configs.scsi_controllers, is_it);
  std::erase_if(configs.virtio_serials, is_it);
  backends.disks.erase(id);
  backends.interfaces.erase(id);
  backends.entropy_sources.erase(id);
}

}  // namespace virttdx
