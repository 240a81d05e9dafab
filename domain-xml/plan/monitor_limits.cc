// SPDX-License-Identifier: GPL-2.0-or-later
// What a VmConfig can say and the monitor does not do: a row each, taken away when the monitor does it.
// Devices that nobody misses are dropped with a note, others keep the TD from starting.
#include <algorithm>
#include <array>

#include "plan/device_planning.h"

namespace virttdx::domain_xml {
namespace {

struct Limit {
  Severity severity;
  std::string_view id, xml_path;
  const std::string* (*asks)(const VmConfig&);  ///< the id of the first device that does; null: none
  void (*drop)(VmConfig&);                      ///< null with an error
  std::string_view message, remedy;
};

template <typename Device, typename Predicate>
const std::string* first_id(const std::vector<Device>& devices, Predicate predicate) {
  const auto found = std::ranges::find_if(devices, predicate);
  return found == devices.end() ? nullptr : &found->id;
}
template <typename Predicate>
const std::string* first_disk(const VmConfig& config, Predicate predicate) {
  return first_id(config.devices.disks, predicate);
}
template <typename Device>
const std::string* id_of(const std::optional<Device>& device) {
  return device ? &device->id : nullptr;
}
bool is_scsi_disk(const DiskConfig& disk) { return disk.bus == DiskBus::Scsi && disk.kind == DiskKind::Disk; }

constexpr std::array kLimits = {
    Limit{Severity::Note, "memballoon-without-effect", "/domain/devices/memballoon",
          [](const VmConfig& c) { return id_of(c.devices.balloon); },
          [](VmConfig& c) { c.devices.balloon.reset(); },
          "the memory balloon is left out: a TD keeps the memory that it was started with",
          "write <memballoon model='none'/>"},
    Limit{Severity::Error, "scsi-not-offered", "/domain/devices/disk",
          [](const VmConfig& c) { return first_disk(c, is_scsi_disk); }, nullptr,
          "disks on bus 'scsi' are not offered", "use bus='virtio' with device='disk'"},
};

// Ids are aliases, which every device has by now.
int line_of(const Devices& devices, const std::string& id) {
  int line = 0;
  for_each_device(devices, [&](const DeviceInfo& device) {
    if (device.alias == id) line = device.line.number;
  });
  return line;
}

}  // namespace

void apply_monitor_limits(Planning& planning) {
  auto& config = planning.plan.config;
  for (const auto& limit : kLimits) {
    const auto* const id = limit.asks(config);
    if (id == nullptr) continue;
    planning
        .add(limit.severity, std::string(limit.id), std::string(limit.xml_path), std::string(limit.message),
             std::string(limit.remedy))
        .line = line_of(planning.domain.devices, *id);
    if (limit.drop != nullptr) limit.drop(config);
  }
}

}  // namespace virttdx::domain_xml
