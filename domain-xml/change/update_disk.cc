// SPDX-License-Identifier: GPL-2.0-or-later
// In the order of libvirt's qemuDomainChangeDiskLive().
#include "domain_xml/update_disk.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "domain_xml/plug_device.h"

namespace virttdx::domain_xml {
namespace {

struct FixedPart {
  std::string_view name;
  bool (*differs)(const Disk& live, const Disk& wanted);
};

// What is not said anew stays: a member of that kind is unlike its default when it is said.
template <auto kMember>
bool says_another(const Disk& live, const Disk& wanted) {
  const auto& said = wanted.*kMember;
  return said != Disk().*kMember && said != live.*kMember;
}

template <auto kMember>
bool driver_says_another(const Disk& live, const Disk& wanted) {
  return wanted.driver.*kMember && wanted.driver.*kMember != live.driver.*kMember;
}

constexpr std::array kFixed = {
    FixedPart{"device",
              [](const Disk& live, const Disk& wanted) {
                return live.device.value_or("disk") != wanted.device.value_or("disk");
              }},
    // A drive's is chosen here (complete/virtio_devices.cc), whatever tools say.
    FixedPart{"bus",
              [](const Disk& live, const Disk& wanted) {
                return live.device != "cdrom" && says_another<&Disk::target_bus>(live, wanted);
              }},
    FixedPart{"tray",
              [](const Disk& live, const Disk& wanted) {
                return wanted.tray && *wanted.tray != live.tray.value_or("closed");
              }},
    FixedPart{"removable", says_another<&Disk::removable>},
    FixedPart{"blockio logical_block_size", says_another<&Disk::logical_block_size>},
    FixedPart{"blockio physical_block_size", says_another<&Disk::physical_block_size>},
    FixedPart{"blkdeviotune", says_another<&Disk::iotune>},
    FixedPart{"address", says_another<&Disk::address>},
    FixedPart{"serial", says_another<&Disk::serial>},
    FixedPart{"wwn", says_another<&Disk::wwn>},
    FixedPart{"vendor", says_another<&Disk::vendor>},
    FixedPart{"product", says_another<&Disk::product>},
    FixedPart{"cache", driver_says_another<&DiskDriver::cache>},
    FixedPart{"error_policy", driver_says_another<&DiskDriver::error_policy>},
    FixedPart{"rerror_policy", driver_says_another<&DiskDriver::rerror_policy>},
    FixedPart{"io", driver_says_another<&DiskDriver::io>},
    FixedPart{"ioeventfd", driver_says_another<&DiskDriver::ioeventfd>},
    FixedPart{"event_idx", driver_says_another<&DiskDriver::event_idx>},
    FixedPart{"copy_on_read", driver_says_another<&DiskDriver::copy_on_read>},
    FixedPart{"snapshot", says_another<&Disk::snapshot>},
    FixedPart{"transient", says_another<&Disk::transient>},
    FixedPart{"boot order", says_another<&Disk::boot_order>},
    FixedPart{"discard", driver_says_another<&DiskDriver::discard>},
    FixedPart{"iothread", driver_says_another<&DiskDriver::iothread>},
};

Result<> check_fixed(const Disk& live, const Disk& wanted) {
  if (says_another<&Disk::alias>(live, wanted))
    return fail(Error::Code::PermissionDenied, "changing device alias is not allowed");
  for (const auto& part : kFixed)
    if (part.differs(live, wanted))
      return fail(Error::Code::Unsupported, "cannot modify field '{}' of the disk", part.name);
  return {};
}

auto place_of(const Disk& disk) {
  auto source = disk.source;
  if (source) {
    source->index.reset();
    source->startup_policy.reset();
  }
  return std::tuple(source ? disk.type : "", source);
}

void take_medium(Disk& disk, const Disk& wanted) {
  disk.type = wanted.type;
  disk.source = wanted.source;
  disk.driver.type = wanted.driver.type;
  disk.authentication = wanted.authentication;
  disk.encryption = wanted.encryption;
  disk.backing_store = wanted.backing_store;
  disk.tray.reset();
}

}  // namespace

Result<UpdatedDisk> update_disk(const Domain& live, const Disk& wanted) {
  const auto& disks = live.devices.disks;
  const auto found = std::ranges::find(disks, wanted.target_dev, &Disk::target_dev);
  if (found == disks.end()) return fail(Error::Code::Internal, "disk '{}' not found", wanted.target_dev);
  TRY(check_fixed(*found, wanted));
  UpdatedDisk updated{*found, place_of(*found) != place_of(wanted)};
  if (updated.has_other_medium) {
    if (found->device != "cdrom")
      return fail(Error::Code::ConfigUnsupported, "disk source can be changed only in removable drives");
    take_medium(updated.disk, wanted);
  } else if (updated.disk.source) {
    updated.disk.source->startup_policy = wanted.source->startup_policy;
  }
  return updated;
}

Domain with_disk_alone(const Domain& domain, const Disk& disk) {
  Domain alone = domain;
  alone.devices.interfaces.clear();
  alone.devices.disks = {disk};
  return alone;
}

Result<DiskConfig> plan_medium(const Domain& live, const Disk& disk, const HostCapabilities& host,
                               const RunResources& resources) {
  return plan_plugged_disk(with_disk_alone(live, disk), disk.alias.value_or(""), host, resources);
}

}  // namespace virttdx::domain_xml
