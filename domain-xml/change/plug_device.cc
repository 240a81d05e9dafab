// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/plug_device.h"

#include <algorithm>

#include "change/find_interface.h"
#include "complete/steps.h"
#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

tl::unexpected<Error> not_supported(std::string_view change, std::string_view device) {
  return fail(Error::Code::Unsupported,
              "live {} of device '{}' is not supported: a running TD can be given and lose disks on bus "
              "'virtio' and interfaces; change its definition (--config)",
              change, device);
}

bool can_be_plugged(const Disk& disk) {
  return disk.device.value_or("disk") == "disk" && disk.target_bus.value_or("virtio") == "virtio";
}

bool can_be_plugged(const Devices& devices) {
  return !devices.interfaces.empty() || (!devices.disks.empty() && can_be_plugged(devices.disks.front()));
}

// Completing a definition leaves the order of interfaces alone, and puts disks in order.
DeviceInfo& find_plugged(Devices& devices, const DeviceElement& device) {
  if (!device.devices.interfaces.empty()) {
    give_alias(devices.interfaces.back(), devices.interfaces);
    return devices.interfaces.back();
  }
  auto& disk = *std::ranges::find(devices.disks, device.devices.disks.front().target_dev, &Disk::target_dev);
  give_alias(disk);
  return disk;
}

template <typename Config>
Result<Config> planned(const LaunchPlan& plan, const std::vector<Config>& configs, std::string_view alias) {
  const auto config = std::ranges::find(configs, alias, &Config::id);
  if (config == configs.end()) return tl::unexpected<Error>(error_of(plan));
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

Result<PluggedDevice> plug_device(Domain live, DeviceElement device, const DefinitionDefaults& defaults) {
  if (!can_be_plugged(device.devices)) return not_supported("attach", device.name);
  const auto controllers = live.devices.controllers.size();
  TRY(attach_device(live, device));
  live = TRY(complete_definition(std::move(live), defaults));
  if (live.devices.controllers.size() != controllers)
    return fail(Error::Code::Internal, "No more available PCI slots");
  auto alias = find_plugged(live.devices, device).alias.value_or("");
  return PluggedDevice{std::move(live), std::move(alias)};
}

Result<DiskConfig> plan_plugged_disk(const Domain& live, std::string_view alias, const HostCapabilities& host,
                                     const RunResources& resources) {
  const PlanSources sources;
  Planning planning(live, host, sources, &resources);
  plan_disks(planning);
  return planned(planning.plan, planning.plan.config.devices.disks, alias);
}

Result<NetworkInterfaceConfig> plan_plugged_interface(const Domain& live, std::string_view alias,
                                                      const HostCapabilities& host,
                                                      const RunResources& resources) {
  const PlanSources sources;
  // The networks of the others have been asked when they came.
  Domain alone = live;
  std::erase_if(alone.devices.interfaces, [&](const Interface& each) { return each.alias != alias; });
  Planning planning(alone, host, sources, &resources);
  plan_interfaces(planning);
  return planned(planning.plan, planning.plan.config.devices.interfaces, alias);
}

Result<std::string> plugged_alias(const Domain& live, const DeviceElement& device) {
  const auto& [disks, interfaces] = std::tie(device.devices.disks, device.devices.interfaces);
  const auto& has = live.devices;
  if (!interfaces.empty())
    return has.interfaces[TRY(find_interface(has.interfaces, interfaces.front()))].alias.value_or("");
  if (disks.empty()) return not_supported("detach", device.name);
  const auto& target_dev = disks.front().target_dev;
  return alias_of(has, std::ranges::find(has.disks, target_dev, &Disk::target_dev),
                  fmt::format("disk {} not found", target_dev));
}

Result<std::string> plugged_alias(const Domain& live, std::string_view alias) {
  const auto is_it = [&](const DeviceInfo& each) { return each.alias == alias; };
  if (std::ranges::any_of(live.devices.interfaces, is_it)) return std::string(alias);
  return alias_of(live.devices, std::ranges::find_if(live.devices.disks, is_it),
                  fmt::format("no device found with alias {}", alias));
}

}  // namespace virttdx::domain_xml
