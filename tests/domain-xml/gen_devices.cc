// SPDX-License-Identifier: GPL-2.0-or-later
#include "gen_devices.h"

#include <utility>

#include "gen_values.h"

namespace virttdx::domain_xml::test {
namespace {

VirtioOptions virtio_options() { return {maybe_flag(), maybe_flag(), maybe_flag()}; }

DeviceAddress pci_address() {
  return PciDeviceAddress{number(0x10000), number(0x100), number(0x20), number(8), maybe_flag()};
}

void add_info(DeviceInfo& info, const DeviceAddress& address) {
  info.boot_order = maybe_number(1, 10);
  info.alias = maybe_made(name);
  info.acpi_index = maybe_number(1, 100);
  if (*rc::gen::arbitrary<bool>()) info.address = address;
}

CharacterDevice character_device(const std::string& target) {
  CharacterDevice value;
  value.type = *rc::gen::element<std::string>("pty", "file", "null", "unix", "tcp", "spicevmc");
  if (value.type == "file") value.append = maybe_flag();
  if (value.type == "file" || ((value.type == "pty" || value.type == "unix") && *rc::gen::arbitrary<bool>()))
    value.source_path = path();
  if (value.type == "unix" || value.type == "tcp") value.source_mode = maybe_word({"bind", "connect"});
  if (value.type == "tcp") {
    value.source_host = maybe_made(name);
    value.source_service = maybe_made(name);
    value.protocol = maybe_word({"raw", "telnet"});
  }
  value.log_file = maybe_made(path);
  value.log_append = maybe_flag();
  value.target_type =
      target == "virtio-channel" ? std::optional<std::string>("virtio") : maybe_word({target});
  if (target == "isa-serial") value.target_model = maybe_word({"isa-serial"});
  if (target == "virtio-channel") {
    value.target_name = maybe_made(name);
    value.target_state = maybe_word({"connected", "disconnected"});
  } else {
    value.target_port = maybe_number(0, 5);
  }
  add_info(value, VirtioSerialAddress{number(4), 0, maybe_number(0, 31)});
  return value;
}

Secret secret() {
  Secret value{*rc::gen::element<std::string>("ceph", "passphrase"), {}, {}};
  *rc::gen::arbitrary<bool>() ? value.uuid = new_uuid() : value.usage = name();
  return value;
}

Authentication authentication() { return {name(), maybe_made(secret)}; }
Encryption encryption() { return {"luks", maybe_word({"qemu", "librbd"}), {secret()}}; }

// The type of a disk and the source that it needs.
std::pair<std::string, DiskSource> disk_source() {
  DiskSource source;
  const auto type = *rc::gen::element<std::string>("file", "block", "network", "volume");
  if (type == "file") source.file = path();
  if (type == "block") source.dev = path();
  if (type == "volume") {
    source.pool = name();
    source.volume = name();
    source.mode = maybe_word({"host", "direct"});
  }
  if (type == "network") {
    source.protocol = *rc::gen::element<std::string>("nbd", "rbd", "https");
    source.name = maybe_made(text);
    source.query = maybe_made(text);
    source.tls = maybe_flag();
    source.tls_hostname = maybe_made(name);
    source.hosts = {{maybe_word({"tcp"}), name(), std::string("1"), {}}, {"unix", {}, {}, path()}};
    source.snapshot = maybe_made(name);
    source.configuration = maybe_made(path);
    source.authentication = maybe_made(authentication);
    if (*rc::gen::arbitrary<bool>()) source.others = {{"ssl", "<ssl verify='no'/>\n"}};
    if (*rc::gen::arbitrary<bool>()) source.others.push_back({"reconnect", "<reconnect delay='7'/>\n"});
  }
  source.startup_policy = maybe_word({"mandatory", "requisite", "optional"});
  source.index = maybe_number(0, 100);
  source.encryption = maybe_made(encryption);
  return {type, source};
}

BackingStore backing_store() {
  if (*rc::gen::arbitrary<bool>()) return {};
  auto [type, source] = disk_source();
  BackingStore store{type, maybe_number(0, 9), maybe_word({"raw", "qcow2"}), std::move(source), {}};
  if (*rc::gen::arbitrary<bool>()) store.next.emplace_back();
  return store;
}

IoTune iotune() {
  IoTune value;
  value.total_bytes_sec = maybe(rc::gen::arbitrary<std::uint64_t>());
  value.read_iops_sec = maybe(rc::gen::arbitrary<std::uint64_t>());
  value.total_bytes_sec_max = maybe(rc::gen::arbitrary<std::uint64_t>());
  value.size_iops_sec = maybe(rc::gen::arbitrary<std::uint64_t>());
  value.group_name = maybe_made(text);
  value.write_iops_sec_max_length = maybe(rc::gen::arbitrary<std::uint64_t>());
  return value;
}

DiskDriver disk_driver() {
  DiskDriver value;
  value.name = maybe_made(name);
  value.type = maybe_word({"raw", "qcow2", "luks"});
  value.cache = maybe_word({"default", "none", "writethrough", "writeback", "directsync", "unsafe"});
  value.error_policy = maybe_word({"stop", "enospace"});
  value.rerror_policy = maybe_word({"stop", "ignore"});
  value.io = maybe_word({"native", "threads", "io_uring"});
  value.ioeventfd = maybe_flag();
  value.event_idx = maybe_flag();
  value.copy_on_read = maybe_flag();
  value.discard = maybe_word({"unmap", "ignore"});
  value.iothread = maybe_number(1, 9);
  value.detect_zeroes = maybe_word({"off", "on", "unmap"});
  value.queues = maybe_number(1, 9);
  value.queue_size = maybe_number(1, 9);
  value.virtio = virtio_options();
  return value;
}

Disk disk() {
  Disk value;
  std::tie(value.type, value.source) = disk_source();
  value.device = maybe_word({"disk", "cdrom", "floppy", "lun"});
  value.model = maybe_word({"virtio"});
  value.snapshot = maybe_word({"no", "external"});
  value.driver = disk_driver();
  value.authentication = maybe_made(authentication);
  value.backing_store = maybe_made(backing_store);
  value.logical_block_size = maybe_number(1, 4096);
  value.physical_block_size = maybe_number(1, 4096);
  value.target_dev = name();
  value.target_bus = maybe_word({"virtio", "scsi", "sata", "ide", "usb", "fdc"});
  value.tray = maybe_word({"open", "closed"});
  value.removable = maybe_flag();
  value.rotation_rate = maybe_number(1, 9);
  value.iotune = iotune();
  value.readonly = *rc::gen::arbitrary<bool>();
  value.shareable = *rc::gen::arbitrary<bool>();
  value.transient = *rc::gen::arbitrary<bool>();
  value.serial = maybe_made(text);
  value.wwn = maybe_word({"5000c50015ea71aa", "0x5000C50015EA71AA"});
  value.vendor = maybe_made(text);
  value.product = maybe_made(text);
  value.encryption = maybe_made(encryption);
  add_info(value, DriveAddress{number(4), number(4), number(4), number(4)});
  return value;
}

Controller controller() {
  Controller value;
  value.type = *rc::gen::element<std::string>("pci", "usb", "scsi", "virtio-serial", "sata");
  value.index = maybe_number(0, 9);
  value.model = maybe_made(name);
  value.ports = maybe_number(0, 32);
  value.vectors = maybe_number(0, 32);
  value.driver.queues = maybe_number(1, 9);
  value.driver.ioeventfd = maybe_flag();
  value.driver.virtio = virtio_options();
  value.master_startport = maybe_number(0, 9);
  value.pci_model_name = maybe_made(name);
  value.pci_chassis = maybe_number(0, 256);
  value.pci_port = maybe_number(0, 256);
  value.pci_hotplug = maybe_flag();
  add_info(value, pci_address());
  return value;
}

Interface interface() {
  Interface value;
  value.type = *rc::gen::element<std::string>("network", "bridge", "direct", "user", "ethernet");
  value.mac = maybe_word({"52:54:00:12:34:56", "00:16:3e:ab:cd:ef"});
  if (value.type == "network")
    value.source = InterfaceSource{name(), maybe_made(name), new_uuid(), {}, {}, {}, {}, {}};
  if (value.type == "bridge") value.source.emplace().bridge = name();
  if (value.type == "direct") {
    value.source.emplace().dev = name();
    value.source->mode = maybe_word({"vepa", "bridge", "private", "passthrough"});
  }
  value.trust_guest_rx_filters = maybe_flag();
  value.script = maybe_made(name);
  value.target_dev = maybe_made(name);
  value.guest_dev = maybe_made(name);
  value.model = maybe_made(name);
  value.driver.name = maybe_word({"vhost", "qemu"});
  value.driver.queues = maybe_number(1, 9);
  value.driver.rss = maybe_flag();
  value.driver.virtio = virtio_options();
  value.driver.host.csum = maybe_flag();
  value.driver.guest.ufo = maybe_flag();
  value.backend_tap = maybe_made(path);
  value.link_state = maybe_word({"up", "down"});
  value.mtu = maybe_number(1, 65536);
  value.isolated = maybe_flag();
  if (*rc::gen::arbitrary<bool>()) value.others = {{"tune", "<tune>\n  <sndbuf>1600</sndbuf>\n</tune>\n"}};
  add_info(value, pci_address());
  return value;
}

Rng rng() {
  Rng value;
  value.rate_bytes = maybe_number(1, 4096);
  value.rate_period_ms = maybe_number(1, 4096);
  value.backend_model = *rc::gen::element<std::string>("random", "egd", "builtin");
  if (value.backend_model == "random") value.backend_source = maybe_made(path);
  if (value.backend_model == "egd") {
    value.backend_type = maybe_word({"unix", "udp"});
    value.backend_others = {{"source", "<source mode='connect' path='/s'/>\n"}};
  }
  value.virtio = virtio_options();
  add_info(value, pci_address());
  return value;
}

MemoryBalloon memballoon() {
  MemoryBalloon value;
  value.model = *rc::gen::element<std::string>("virtio", "none");
  value.autodeflate = maybe_flag();
  value.free_page_reporting = maybe_flag();
  value.statistics_period = maybe_number(0, 100);
  value.virtio = virtio_options();
  add_info(value, pci_address());
  return value;
}

Vsock vsock() {
  Vsock value;
  value.model = maybe_word({"virtio", "virtio-non-transitional"});
  value.cid_auto = maybe_flag();
  value.cid = maybe_number(3, 0xFFFFFFFE);
  value.virtio = virtio_options();
  add_info(value, pci_address());
  return value;
}

template <typename Make>
auto list_of(Make make) {
  std::vector<decltype(make())> list;
  for (auto n = *rc::gen::inRange(0, 3); n > 0; --n) list.push_back(make());
  return list;
}

}  // namespace

Devices any_devices() {
  Devices value;
  value.emulator = maybe_made(path);
  value.disks = list_of(disk);
  value.controllers = list_of(controller);
  value.interfaces = list_of(interface);
  value.serials = list_of([] { return character_device("isa-serial"); });
  value.consoles = list_of([] { return character_device("serial"); });
  value.channels = list_of([] { return character_device("virtio-channel"); });
  value.rngs = list_of(rng);
  value.memballoon = maybe_made(memballoon);
  value.vsock = maybe_made(vsock);
  value.others = some_of({
      {"input", "<input type='keyboard' bus='ps2'/>\n"},
      {"graphics", "<graphics type='vnc' port='-1' autoport='yes'/>\n"},
      {"video", "<video>\n  <model type='none'/>\n</video>\n"},
      {"watchdog", "<watchdog model='itco' action='reset'/>\n"},
  });
  return value;
}

}  // namespace virttdx::domain_xml::test
