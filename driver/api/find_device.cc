// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/find_device.h"

#include <strings.h>

#include <algorithm>

namespace virttdx::driver::api {

std::string path_of(const domain_xml::Disk& disk) {
  if (!disk.source) return {};
  return disk.source->file.value_or(disk.source->dev.value_or(""));
}

Image image_of(const domain_xml::Disk& disk) { return {path_of(disk), disk.driver.type.value_or("raw")}; }

const domain_xml::Disk* find_disk(const domain_xml::Domain& domain, std::string_view path) {
  const auto& disks = domain.devices.disks;
  auto found = std::ranges::find(disks, path, &domain_xml::Disk::target_dev);
  if (found == disks.end() && path.starts_with('/'))
    found = std::ranges::find_if(disks, [&](const auto& disk) { return path_of(disk) == path; });
  return found == disks.end() ? nullptr : &*found;
}

Result<const domain_xml::Interface*> find_interface(const domain_xml::Domain& domain, std::string_view name) {
  const std::string text(name);
  for (const auto& interface : domain.devices.interfaces)
    if (interface.target_dev == text ||
        (interface.mac && strcasecmp(interface.mac->c_str(), text.c_str()) == 0))
      return &interface;
  return fail(Error::Code::InvalidArgument, "'{}' is not a known interface", name);
}

const DiskStatistics* statistics_of(const DeviceStatistics& all, const domain_xml::Disk& disk) {
  const auto found = std::ranges::find(all.disks, disk.target_dev, &DiskStatistics::target);
  return found == all.disks.end() ? nullptr : &*found;
}

const InterfaceStatistics* statistics_of(const DeviceStatistics& all,
                                         const domain_xml::Interface& interface) {
  const auto found = std::ranges::find(all.interfaces, interface.alias, &InterfaceStatistics::id);
  return found == all.interfaces.end() ? nullptr : &*found;
}

std::string_view shortened(const char* text) { return std::string_view(text).substr(0, 256); }

}  // namespace virttdx::driver::api
