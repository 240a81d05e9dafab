// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/device_info.h"
#include "elements/disk_parts.h"
#include "elements/elements.h"
#include "elements/shape.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

using Types = OneOf<"file", "block", "dir", "network", "volume", "nvme", "vhostuser">;
using Kinds = OneOf<"disk", "cdrom", "floppy", "lun">;
using Models = OneOf<"virtio", "virtio-transitional", "virtio-non-transitional">;
using Snapshots = OneOf<"no", "internal", "external", "manual">;
using Caches = OneOf<"default", "none", "writethrough", "writeback", "directsync", "unsafe">;
using ErrorPolicies = OneOf<"stop", "report", "ignore", "enospace">;
using ReadErrorPolicies = OneOf<"stop", "report", "ignore">;
using Ios = OneOf<"native", "threads", "io_uring">;
using Discards = OneOf<"unmap", "ignore">;
using DetectZeroes = OneOf<"off", "on", "unmap">;
using Buses = OneOf<"ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd">;
using Trays = OneOf<"closed", "open">;

template <auto kMember, typename Codec>
constexpr Row<Disk> driver(std::string_view path) {
  return deep_property<Disk, Codec, &Disk::driver, kMember>(path);
}

constexpr std::array kHeadTable = {
    property<&Disk::type, Types>("@type"),
    property<&Disk::device, Kinds>("@device"),
    property<&Disk::model, Models>("@model"),
    property<&Disk::snapshot, Snapshots>("@snapshot"),
};
constexpr auto kDriverTable = join_tables(
    std::array{
        driver<&DiskDriver::name, NonEmptyText>("driver/@name"),
        driver<&DiskDriver::type, ImageFormatName>("driver/@type"),
        driver<&DiskDriver::cache, Caches>("driver/@cache"),
        driver<&DiskDriver::error_policy, ErrorPolicies>("driver/@error_policy"),
        driver<&DiskDriver::rerror_policy, ReadErrorPolicies>("driver/@rerror_policy"),
        driver<&DiskDriver::io, Ios>("driver/@io"),
        driver<&DiskDriver::ioeventfd, OnOff>("driver/@ioeventfd"),
        driver<&DiskDriver::event_idx, OnOff>("driver/@event_idx"),
        driver<&DiskDriver::copy_on_read, OnOff>("driver/@copy_on_read"),
        driver<&DiskDriver::discard, Discards>("driver/@discard"),
        driver<&DiskDriver::iothread, Count>("driver/@iothread"),
        driver<&DiskDriver::detect_zeroes, DetectZeroes>("driver/@detect_zeroes"),
        driver<&DiskDriver::queues, Count>("driver/@queues"),
        driver<&DiskDriver::queue_size, Count>("driver/@queue_size"),
    },
    kVirtioRows<Disk, &Disk::driver, &DiskDriver::virtio>);
constexpr std::array kTargetTable = {
    property<&Disk::logical_block_size, Count>("blockio/@logical_block_size"),
    property<&Disk::physical_block_size, Count>("blockio/@physical_block_size"),
    property<&Disk::target_dev, NonEmptyText>("target/@dev", {.required = true}),
    property<&Disk::target_bus, Buses>("target/@bus"),
    property<&Disk::tray, Trays>("target/@tray"),
    property<&Disk::removable, OnOff>("target/@removable"),
    property<&Disk::rotation_rate, Count>("target/@rotation_rate"),
};
constexpr std::array kTailTable = {
    property<&Disk::readonly, Presence>("readonly"),   property<&Disk::shareable, Presence>("shareable"),
    property<&Disk::transient, Presence>("transient"), property<&Disk::serial, NonEmptyText>("serial"),
    property<&Disk::wwn, WorldWideName>("wwn"),        property<&Disk::vendor, NonEmptyText>("vendor"),
    property<&Disk::product, NonEmptyText>("product"),
};
constexpr auto kTable = join_tables(kHeadTable, kDriverTable, kTargetTable, kTailTable);
constexpr auto kChildren = with_info(std::array{
    ChildRule{"auth"},
    ChildRule{"source"},
    ChildRule{"backingStore"},
    ChildRule{"iotune"},
    ChildRule{"encryption"},
});

Result<> read_children(Disk& disk, const Place& place) {
  for (const auto& child : place.element.children) {
    const auto inner = place.child(child);
    if (child.name == "auth") disk.authentication = TRY(read_authentication(inner));
    if (child.name == "source") disk.source = TRY(read_disk_source(inner));
    if (child.name == "backingStore") disk.backing_store = TRY(read_backing_store(inner));
    if (child.name == "iotune") disk.iotune = TRY(read_iotune(inner));
    if (child.name == "encryption") disk.encryption = TRY(read_encryption(inner));
  }
  return {};
}

// A drive may be empty, a disk may not.
Result<> check_source(const Place& place, const Disk& disk) {
  if (disk.source)
    return check_disk_source(place.child(*place.element.child("source")), disk.type, *disk.source);
  if (disk.device == "cdrom" || disk.device == "floppy") return {};
  return tl::unexpected<Error>(missing_value(place, "source"));
}

}  // namespace

Result<Disk> read_disk(const Place& place) {
  Disk disk;
  TRY(read_properties(place, kTable, disk, kChildren));
  if (disk.type.empty()) disk.type = "file";
  TRY(read_children(disk, place));
  TRY(check_source(place, disk));
  TRY(read_device_info(place, disk));
  return disk;
}

void write_disk(xml::Element& parent, const Disk& disk, const WriteContext& context) {
  auto& element = parent.add_child("disk");
  write_properties(element, join_tables(kHeadTable, kDriverTable), disk, context);
  if (disk.authentication) write_authentication(element, *disk.authentication);
  if (disk.source) write_disk_source(element, *disk.source, context);
  if (disk.backing_store) write_backing_store(element, *disk.backing_store, context);
  write_properties(element, kTargetTable, disk, context);
  if (disk.iotune != IoTune()) write_iotune(element, disk.iotune);
  write_properties(element, kTailTable, disk, context);
  if (disk.encryption) write_encryption(element, *disk.encryption);
  write_device_info(element, disk, context);
}

}  // namespace virttdx::domain_xml
