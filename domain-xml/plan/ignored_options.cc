// SPDX-License-Identifier: GPL-2.0-or-later
// Attributes of devices that QEMU's devices know and this monitor's do not. The devices work without them.
#include <fmt/ranges.h>

#include <string_view>
#include <utility>
#include <vector>

#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

/// An attribute's name, and whether it asks for what the device does not do.
using Option = std::pair<std::string_view, bool>;

void note(Planning& planning, const DeviceInfo& device, const char* path,
          std::initializer_list<Option> options) {
  std::vector<std::string_view> ignored;
  for (const auto& [name, is_ignored] : options)
    if (is_ignored) ignored.push_back(name);
  if (ignored.empty()) return;
  planning
      .add(Severity::Note, "device-option-without-effect", path,
           fmt::format("kept without effect: {}", fmt::join(ignored, ", ")),
           "remove what is not needed; QEMU's devices know it, this monitor's do not")
      .line = device.line.number;
}

bool is_off(const std::optional<bool>& option) { return option == false; }

// UDP fragmentation offload and the older "gso" are never offered, whether they are on or off. TDs need the
// platform's DMA (iommu) whatever is said; device IOTLBs and packed rings there are none.
void note_interface(Planning& planning, const Interface& interface) {
  const auto& driver = interface.driver;
  note(planning, interface, "/domain/devices/interface",
       {{"txmode", driver.txmode.has_value()},
        {"ioeventfd='off'", is_off(driver.ioeventfd)},
        {"rss", driver.rss == true},
        {"rss_hash_report", driver.rss_hash_report == true},
        {"packed", driver.virtio.packed == true},
        {"ats", driver.virtio.ats == true},
        {"ufo of <host>", driver.host.ufo == true},
        {"ufo of <guest>", driver.guest.ufo == true},
        {"trustGuestRxFilters", interface.trust_guest_rx_filters == true},
        {"tap of <backend>", interface.backend_tap.has_value()},
        {"vhost of <backend>", interface.backend_vhost.has_value()},
        {"logFile of <backend>", interface.backend_log_file.has_value()}});
}

void note_disk(Planning& planning, const Disk& disk) {
  const auto& driver = disk.driver;
  const bool is_cdrom = disk.device == "cdrom";
  note(planning, disk, "/domain/devices/disk",
       {{"ioeventfd='off'", is_off(driver.ioeventfd)},
        {"packed", driver.virtio.packed == true},
        {"ats", driver.virtio.ats == true},
        {"wwn", disk.wwn && !is_cdrom},
        {"<iotune> of a CD-ROM drive", is_cdrom && disk.iotune != IoTune()}});
}

}  // namespace

void note_ignored_options(Planning& planning) {
  for (const auto& disk : planning.domain.devices.disks) note_disk(planning, disk);
  for (const auto& interface : planning.domain.devices.interfaces) note_interface(planning, interface);
}

}  // namespace virttdx::domain_xml
