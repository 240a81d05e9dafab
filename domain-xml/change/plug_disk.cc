// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/plug_disk.h"

#include <algorithm>

#include "complete/steps.h"
#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

tl::unexpected<Error> not_supported(std::string_view change, std::string_view device) {
  return fail(Error::Code::Unsupported,
              "live {} of device '{}' is not supported: a running TD can be given and lose disks on bus "
              "'virtio'; change its definition (--config)",
              change, device);
}

bool can_be_plugged(const Disk& disk) {
  return disk.device.value_or("disk") == "disk" && disk.target_bus.value_or("virtio") == "virtio" &&
         disk.type != "volume";
}

Result<DiskConfig> plan_one(const Domain& live, const std::string& target_dev, const HostCapabilities& host) {
  const PlanSources sources;
  const RunResources resources;
  Planning planning(live, host, sources, &resources);
  plan_disks(planning);
  const auto is_it = [&](const DiskConfig& disk) { return disk.target == target_dev; };
  const auto& disks = planning.plan.config.devices.disks;
  const auto config = std::ranges::find_if(disks, is_it);
  if (config == disks.end()) return tl::unexpected<Error>(error_of(planning.plan));
  return *config;
}

Result<std::string> alias_of(const Devices& devices, std::vector<Disk>::const_iterator disk,
                             std::string_view absent) {
  if (disk == devices.disks.end()) return fail(Error::Code::NotFound, "{}", absent);
  if (disk->device.value_or("disk") != "disk" || disk->target_bus != "virtio")
    return fail(Error::Code::Unsupported, "disk device type '{}' on bus '{}' cannot be detached",
                disk->device.value_or("disk"), disk->target_bus.value_or("virtio"));
  return disk->alias.value_or("");
}

}  // namespace

Result<PluggedDisk> plug_disk(Domain live, DeviceElement device, const HostCapabilities& host,
                              const DefinitionDefaults& defaults) {
  if (device.devices.disks.empty() || !can_be_plugged(device.devices.disks.front()))
    return not_supported("attach", device.name);
  const auto target_dev = device.devices.disks.front().target_dev;
  const auto controllers = live.devices.controllers.size();
  TRY(attach_device(live, std::move(device)));
  live = TRY(complete_definition(std::move(live), defaults));
  if (live.devices.controllers.size() != controllers)
    return fail(Error::Code::Internal, "No more available PCI slots");
  const auto disk = std::ranges::find(live.devices.disks, target_dev, &Disk::target_dev);
  give_alias(*disk);
  auto config = TRY(plan_one(live, target_dev, host));
  return PluggedDisk{std::move(live), std::move(config)};
}

Result<std::string> plugged_alias(const Domain& live, const DeviceElement& device) {
  if (device.devices.disks.empty()) return not_supported("detach", device.name);
  const auto& target_dev = device.devices.disks.front().target_dev;
  return alias_of(live.devices, std::ranges::find(live.devices.disks, target_dev, &Disk::target_dev),
                  fmt::format("no target device {}", target_dev));
}

Result<std::string> plugged_alias(const Domain& live, std::string_view alias) {
  const auto disk =
      std::ranges::find_if(live.devices.disks, [&](const Disk& each) { return each.alias == alias; });
  return alias_of(live.devices, disk, fmt::format("no device found with alias {}", alias));
}

}  // namespace virttdx::domain_xml
