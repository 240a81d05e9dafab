// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of a VmConfig's devices that hold on every host.
#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "control/validation.h"

namespace virttdx {
namespace {

constexpr std::size_t kIdMaximum = 255;
constexpr std::uint8_t kSlots = 32, kFunctions = 8;
// Host bridge and LPC bridge of Q35.
constexpr std::uint8_t kHostBridgeSlot = 0, kLpcSlot = 31;
// Virtio 1.2, 5.2.6: a serial of VIRTIO_BLK_T_GET_ID has 20 bytes. SCSI: page 0x80 has a length of one byte.
constexpr std::size_t kBlkSerialMaximum = 20, kScsiSerialMaximum = 247;
constexpr std::uint16_t kScsiLuns = 16384;  // flat space addressing, 14 bits
constexpr std::uint16_t kDiskQueues = 256, kQueuePairs = 128;
constexpr std::uint32_t kBlockMinimum = 512, kBlockMaximum = 32768;
// IFNAMSIZ less the NUL.
constexpr std::size_t kInterfaceNameMaximum = 15;
constexpr std::uint16_t kMtuMinimum = 68;  // virtio 1.2, 5.1.4.1
constexpr std::uint32_t kConsolePorts = 31;
constexpr std::uint32_t kCidMinimum = 3, kCidMaximum = 0xFFFFFFFE;
// The kernel's boot protocol on x86 has 32-bit sizes; no command line is near this.
constexpr std::size_t kCommandLineMaximum = 65535;
constexpr std::size_t kSmbiosTextMaximum = 255;

// Ids, PCI addresses and boot indexes that stand already.
struct Uses {
  std::set<std::string> ids;
  std::set<std::array<std::uint8_t, 3>> addresses;
  std::set<std::uint8_t> buses;
  std::set<std::uint32_t> boot_indexes;
};

Result<> use_id(Uses& uses, const std::string& field, const std::string& id) {
  TRY(check_text(field + ": id", id, kIdMaximum));
  if (!uses.ids.insert(id).second)
    return fail(Error::Code::InvalidArgument, "{}: id '{}' stands twice", field, id);
  return {};
}

std::string text_of(const PciAddress& address) {
  return fmt::format("{:02x}:{:02x}.{:x}", address.bus, address.slot, address.function);
}

Result<> check_place(const Uses& uses, const std::string& field, const PciAddress& address) {
  if (address.slot >= kSlots || address.function >= kFunctions)
    return fail(Error::Code::InvalidArgument, "{}: PCI slot {} function {} is outside 0 to {} and 0 to {}",
                field, address.slot, address.function, kSlots - 1, kFunctions - 1);
  if (address.bus == 0 && (address.slot == kHostBridgeSlot || address.slot == kLpcSlot))
    return fail(Error::Code::InvalidArgument, "{}: PCI address {} is the chipset's", field, text_of(address));
  if (address.bus != 0 && !uses.buses.contains(address.bus))
    return fail(Error::Code::InvalidArgument, "{}: PCI address {}: no root port leads to bus {}", field,
                text_of(address), address.bus);
  if (address.bus != 0 && address.slot != 0)
    return fail(Error::Code::InvalidArgument, "{}: PCI address {}: behind a root port there is slot 0 only",
                field, text_of(address));
  return {};
}

Result<> use_address(Uses& uses, const std::string& field, const PciAddress& address) {
  TRY(check_place(uses, field, address));
  if (!uses.addresses.insert({address.bus, address.slot, address.function}).second)
    return fail(Error::Code::InvalidArgument, "{}: PCI address {} stands twice", field, text_of(address));
  return {};
}

// Nobody looks for the other functions of a device without a first one.
Result<> check_functions(const Uses& uses) {
  for (const auto& [bus, slot, function] : uses.addresses)
    if (function != 0 && !uses.addresses.contains({bus, slot, 0}))
      return fail(Error::Code::InvalidArgument,
                  "/devices: PCI address {}: a guest does not see it, for the slot has no function 0",
                  text_of({bus, slot, function}));
  return {};
}

Result<> use_boot_index(Uses& uses, const std::string& field, const std::optional<std::uint32_t>& index) {
  if (index && !uses.boot_indexes.insert(*index).second)
    return fail(Error::Code::InvalidArgument, "{}: boot_index {} stands twice", field, *index);
  return {};
}

template <typename Number>
Result<> check_range(const std::string& field, const char* member, Number value, Number minimum,
                     Number maximum) {
  if (value >= minimum && value <= maximum) return {};
  return fail(Error::Code::InvalidArgument, "{}: {} {} is outside {} to {}", field, member, value, minimum,
              maximum);
}

template <typename Number>
Result<> check_power_of_two(const std::string& field, const char* member, Number value, Number minimum,
                            Number maximum) {
  TRY(check_range(field, member, value, minimum, maximum));
  if (std::has_single_bit(value)) return {};
  return fail(Error::Code::InvalidArgument, "{}: {} {} is not a power of two", field, member, value);
}

template <typename Controller>
Result<> check_controller(const std::string& field, const std::vector<Controller>& controllers,
                          std::uint8_t index) {
  if (std::ranges::count(controllers, index, &Controller::index) != 0) return {};
  return fail(Error::Code::InvalidArgument, "{}: there is no controller {}", field, index);
}

template <typename Controller>
Result<> check_indexes_differ(const std::string& field, const std::vector<Controller>& controllers) {
  for (const auto& controller : controllers)
    if (std::ranges::count(controllers, controller.index, &Controller::index) != 1)
      return fail(Error::Code::InvalidArgument, "{}: index {} stands twice", field, controller.index);
  return {};
}

Result<> check_root_ports(Uses& uses, const std::vector<PciRootPortConfig>& ports) {
  const std::string field = "/devices/root_ports";
  std::set<std::uint8_t> chassis;
  for (const auto& port : ports) {
    TRY(use_id(uses, field, port.id));
    if (port.address.bus != 0)
      return fail(Error::Code::InvalidArgument, "{}: '{}' is on bus {}; root ports are on bus 0", field,
                  port.id, port.address.bus);
    TRY(use_address(uses, field, port.address));
    TRY(check_range<unsigned>(field, "bus", port.bus, 1, 255));
    if (!uses.buses.insert(port.bus).second)
      return fail(Error::Code::InvalidArgument, "{}: bus {} stands twice", field, port.bus);
    if (!chassis.insert(port.chassis).second)
      return fail(Error::Code::InvalidArgument, "{}: chassis {} stands twice", field, port.chassis);
  }
  return {};
}

Result<> check_host(const std::string& field, const NetworkHost& host) {
  if (host.unix_socket.empty() == host.name.empty())
    return fail(Error::Code::InvalidArgument, "{}: a host has either a name or a unix_socket", field);
  if (!host.name.empty()) return check_text(field + ": host name", host.name, kIdMaximum);
  return check_text(field + ": unix_socket", host.unix_socket, kSocketPathMaximum);
}

Result<> check_source(const std::string& field, const DiskSourceConfig& source) {
  const bool local = source.protocol == DiskProtocol::File || source.protocol == DiskProtocol::Block;
  const bool may_be_unnamed = source.protocol == DiskProtocol::Nbd;
  if (!may_be_unnamed || !source.path.empty()) TRY(check_text(field + ": path", source.path, kPathMaximum));
  if (local && !source.path.starts_with('/'))
    return fail(Error::Code::InvalidArgument, "{}: path '{}' is not absolute", field, source.path);
  if (local && !source.hosts.empty())
    return fail(Error::Code::InvalidArgument, "{}: a local file has no hosts", field);
  if (!local && source.hosts.empty() && source.protocol != DiskProtocol::Rbd)
    return fail(Error::Code::InvalidArgument, "{}: hosts is empty", field);
  for (const auto& host : source.hosts) TRY(check_host(field, host));
  TRY(check_optional_text(field + ": secret_file", source.secret_file, kPathMaximum));
  TRY(check_optional_text(field + ": cookies_file", source.cookies_file, kPathMaximum));
  TRY(check_optional_text(field + ": ceph_configuration", source.ceph_configuration, kPathMaximum));
  return check_optional_text(field + ": luks_passphrase_file", source.luks_passphrase_file, kPathMaximum);
}

Result<> check_serial_text(const std::string& field, const DiskConfig& disk) {
  if (disk.serial.empty()) return {};
  const bool scsi = disk.bus == DiskBus::Scsi;
  return check_text(field + ": serial", disk.serial, scsi ? kScsiSerialMaximum : kBlkSerialMaximum);
}

Result<> check_block_sizes(const std::string& field, const DiskConfig& disk) {
  TRY(check_power_of_two(field, "logical_block_size", disk.logical_block_size, kBlockMinimum, kBlockMaximum));
  if (disk.physical_block_size == 0) return {};
  TRY(check_power_of_two(field, "physical_block_size", disk.physical_block_size, kBlockMinimum,
                         kBlockMaximum));
  if (disk.physical_block_size >= disk.logical_block_size) return {};
  return fail(Error::Code::InvalidArgument, "{}: physical_block_size {} is below logical_block_size {}",
              field, disk.physical_block_size, disk.logical_block_size);
}

Result<> check_rate(const std::string& field, const char* member, const DiskRate& rate) {
  if (rate.maximum != 0 && rate.maximum < rate.per_second)
    return fail(Error::Code::InvalidArgument, "{}: {}: maximum {} is below per_second {}", field, member,
                rate.maximum, rate.per_second);
  if (rate.maximum_seconds != 0 && rate.maximum == 0)
    return fail(Error::Code::InvalidArgument, "{}: {}: maximum_seconds without maximum", field, member);
  return {};
}

Result<> check_limits(const std::string& field, const DiskLimits& limits) {
  const auto totals_exclude = [&](const DiskRate& total, const DiskRate& read, const DiskRate& write,
                                  const char* what) -> Result<> {
    if (total.per_second == 0 || (read.per_second == 0 && write.per_second == 0)) return {};
    return fail(Error::Code::InvalidArgument, "{}: total_{} excludes read_{} and write_{}", field, what, what,
                what);
  };
  TRY(totals_exclude(limits.total_bytes, limits.read_bytes, limits.write_bytes, "bytes"));
  TRY(totals_exclude(limits.total_requests, limits.read_requests, limits.write_requests, "requests"));
  TRY(check_rate(field, "total_bytes", limits.total_bytes));
  TRY(check_rate(field, "read_bytes", limits.read_bytes));
  TRY(check_rate(field, "write_bytes", limits.write_bytes));
  TRY(check_rate(field, "total_requests", limits.total_requests));
  TRY(check_rate(field, "read_requests", limits.read_requests));
  return check_rate(field, "write_requests", limits.write_requests);
}

Result<> check_disk_place(Uses& uses, const std::string& field, const DiskConfig& disk,
                          const DeviceConfigs& devices) {
  if (disk.bus == DiskBus::VirtioBlk) {
    TRY(check_range<unsigned>(field, "queues", disk.queues, 1, kDiskQueues));
    TRY(check_power_of_two<unsigned>(field, "queue_size", disk.queue_size, 2, 1024));
    return use_address(uses, field, disk.address);
  }
  TRY(check_controller(field, devices.scsi_controllers, disk.scsi.controller));
  TRY(check_range<unsigned>(field, "lun", disk.scsi.lun, 0, kScsiLuns - 1));
  const auto shares = [&](const DiskConfig& other) {
    return other.bus == DiskBus::Scsi && other.scsi == disk.scsi;
  };
  if (std::ranges::count_if(devices.disks, shares) == 1) return {};
  return fail(Error::Code::InvalidArgument, "{}: SCSI address {}:{}:{} stands twice", field,
              disk.scsi.controller, disk.scsi.target, disk.scsi.lun);
}

Result<> check_disk(Uses& uses, const DiskConfig& disk, const DeviceConfigs& devices) {
  const auto field = "/devices/disks '" + disk.id + "'";
  TRY(use_id(uses, "/devices/disks", disk.id));
  TRY(check_text(field + ": target", disk.target, kIdMaximum));
  if (std::ranges::count(devices.disks, disk.target, &DiskConfig::target) != 1)
    return fail(Error::Code::InvalidArgument, "{}: target '{}' stands twice", field, disk.target);
  TRY(check_disk_place(uses, field, disk, devices));
  if (disk.kind == DiskKind::Cdrom && disk.bus != DiskBus::Scsi)
    return fail(Error::Code::InvalidArgument, "{}: a CD-ROM drive needs bus scsi", field);
  if (disk.kind == DiskKind::Disk && !disk.source)
    return fail(Error::Code::InvalidArgument, "{}: a disk needs a source", field);
  if (disk.source) TRY(check_source(field, *disk.source));
  TRY(check_serial_text(field, disk));
  TRY(check_block_sizes(field, disk));
  TRY(use_boot_index(uses, field, disk.boot_index));
  return check_limits(field, disk.limits);
}

bool is_unicast_mac(const std::string& mac) {
  constexpr std::size_t kLength = 17;
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF", kEven = "02468aceACE";
  if (mac.size() != kLength) return false;
  for (std::size_t i = 0; i < kLength; ++i)
    if (i % 3 == 2 ? mac[i] != ':' : kDigits.find(mac[i]) == std::string_view::npos) return false;
  return kEven.find(mac[1]) != std::string_view::npos;
}

Result<> check_host_side(const std::string& field, const NetworkInterfaceConfig& interface) {
  if (interface.backend != NetworkBackend::Passt)
    TRY(check_text(field + ": device", interface.device, kInterfaceNameMaximum));
  TRY(check_optional_text(field + ": bridge", interface.bridge, kInterfaceNameMaximum));
  TRY(validate_user_network(field, interface));
  if (interface.backend == NetworkBackend::Macvtap && !interface.link)
    return fail(Error::Code::InvalidArgument, "{}: macvtap needs a link", field);
  return check_optional_text(field + ": link", interface.link, kInterfaceNameMaximum);
}

Result<> check_interface(Uses& uses, const NetworkInterfaceConfig& interface) {
  const auto field = "/devices/interfaces '" + interface.id + "'";
  TRY(use_id(uses, "/devices/interfaces", interface.id));
  TRY(use_address(uses, field, interface.address));
  if (!is_unicast_mac(interface.mac))
    return fail(Error::Code::InvalidArgument, "{}: mac '{}' is no unicast address as 52:54:00:12:34:56",
                field, interface.mac);
  TRY(check_host_side(field, interface));
  TRY(check_range<unsigned>(field, "queue_pairs", interface.queue_pairs, 1, kQueuePairs));
  TRY(check_power_of_two<unsigned>(field, "rx_queue_size", interface.rx_queue_size, 64, 1024));
  TRY(check_power_of_two<unsigned>(field, "tx_queue_size", interface.tx_queue_size, 64, 1024));
  if (interface.mtu) TRY(check_range<unsigned>(field, "mtu", *interface.mtu, kMtuMinimum, 65535));
  return use_boot_index(uses, field, interface.boot_index);
}

Result<> check_character_backend(const std::string& field, const ConsolePortConfig& port) {
  TRY(check_optional_text(field + ": log_file", port.log_file, kPathMaximum));
  const bool socket =
      port.backend == CharacterBackend::UnixListen || port.backend == CharacterBackend::UnixConnect;
  if (socket || port.backend == CharacterBackend::File)
    return check_text(field + ": path", port.path.value_or(""), socket ? kSocketPathMaximum : kPathMaximum);
  return {};
}

Result<> check_console_port(Uses& uses, const ConsolePortConfig& port, const DeviceConfigs& devices) {
  const auto field = "/devices/console_ports '" + port.id + "'";
  TRY(use_id(uses, "/devices/console_ports", port.id));
  TRY(check_controller(field, devices.virtio_serials, port.controller));
  const auto controller =
      std::ranges::find(devices.virtio_serials, port.controller, &VirtioSerialConfig::index);
  TRY(check_range<std::uint32_t>(field, "port", port.port, 0, controller->max_ports - 1));
  const auto shares = [&](const ConsolePortConfig& other) {
    return other.controller == port.controller && other.port == port.port;
  };
  if (std::ranges::count_if(devices.console_ports, shares) != 1)
    return fail(Error::Code::InvalidArgument, "{}: port {} of controller {} stands twice", field, port.port,
                port.controller);
  if (port.port == 0 && !port.console)
    return fail(Error::Code::InvalidArgument, "{}: port 0 is for a console, not for a channel", field);
  if (!port.name.empty()) TRY(check_text(field + ": name", port.name, kIdMaximum));
  return check_character_backend(field, port);
}

Result<> check_controllers(Uses& uses, const DeviceConfigs& devices) {
  TRY(check_indexes_differ("/devices/scsi_controllers", devices.scsi_controllers));
  TRY(check_indexes_differ("/devices/virtio_serials", devices.virtio_serials));
  for (const auto& controller : devices.scsi_controllers) {
    TRY(use_id(uses, "/devices/scsi_controllers", controller.id));
    TRY(use_address(uses, "/devices/scsi_controllers", controller.address));
    TRY(check_range<unsigned>("/devices/scsi_controllers", "queues", controller.queues, 1, kDiskQueues));
  }
  for (const auto& controller : devices.virtio_serials) {
    TRY(use_id(uses, "/devices/virtio_serials", controller.id));
    TRY(use_address(uses, "/devices/virtio_serials", controller.address));
    TRY(check_range<std::uint32_t>("/devices/virtio_serials", "max_ports", controller.max_ports, 1,
                                   kConsolePorts));
  }
  return {};
}

Result<> check_rng(Uses& uses, const RngConfig& rng) {
  const std::string field = "/devices/rngs";
  TRY(use_id(uses, field, rng.id));
  TRY(use_address(uses, field, rng.address));
  TRY(check_text(field + ": source", rng.source, kPathMaximum));
  if (rng.bytes_per_period != 0 && rng.period_milliseconds == 0)
    return fail(Error::Code::InvalidArgument, "{}: bytes_per_period {} without period_milliseconds", field,
                rng.bytes_per_period);
  return {};
}

Result<> check_vsock(Uses& uses, const VsockConfig& vsock) {
  TRY(use_id(uses, "/devices/vsock", vsock.id));
  TRY(use_address(uses, "/devices/vsock", vsock.address));
  if (vsock.guest_cid == 0) return {};
  return check_range("/devices/vsock", "guest_cid", vsock.guest_cid, kCidMinimum, kCidMaximum);
}

Result<> check_smbios_text(const char* field, const std::string& text) {
  if (text.empty()) return {};
  return check_text(std::string("/smbios/") + field, text, kSmbiosTextMaximum);
}

}  // namespace

Result<> validate_devices(const DeviceConfigs& devices) {
  Uses uses;
  TRY(check_root_ports(uses, devices.root_ports));
  TRY(check_controllers(uses, devices));
  for (const auto& disk : devices.disks) TRY(check_disk(uses, disk, devices));
  for (const auto& interface : devices.interfaces) TRY(check_interface(uses, interface));
  for (const auto& port : devices.console_ports) TRY(check_console_port(uses, port, devices));
  for (const auto& rng : devices.rngs) TRY(check_rng(uses, rng));
  if (devices.vsock) TRY(check_vsock(uses, *devices.vsock));
  if (devices.balloon) {
    TRY(use_id(uses, "/devices/balloon", devices.balloon->id));
    TRY(use_address(uses, "/devices/balloon", devices.balloon->address));
  }
  return check_functions(uses);
}

Result<> validate_kernel(const KernelBootConfig& kernel) {
  TRY(check_text("/kernel/kernel", kernel.kernel, kPathMaximum));
  TRY(check_optional_text("/kernel/initrd", kernel.initrd, kPathMaximum));
  if (kernel.command_line.empty()) return {};
  return check_text("/kernel/command_line", kernel.command_line, kCommandLineMaximum);
}

Result<> validate_smbios(const SmbiosConfig& smbios) {
  const auto& [bios, system, baseboards, chassis, oem_strings] = smbios;
  for (const auto& text : {bios.vendor, bios.version, bios.date}) TRY(check_smbios_text("bios", text));
  for (const auto& text :
       {system.manufacturer, system.product, system.version, system.serial, system.sku, system.family})
    TRY(check_smbios_text("system", text));
  for (const auto& board : baseboards)
    for (const auto& text :
         {board.manufacturer, board.product, board.version, board.serial, board.asset, board.location})
      TRY(check_smbios_text("baseboards", text));
  for (const auto& text : {chassis.manufacturer, chassis.version, chassis.serial, chassis.asset, chassis.sku})
    TRY(check_smbios_text("chassis", text));
  for (const auto& text : oem_strings) TRY(check_text("/smbios/oem_strings", text, kCommandLineMaximum));
  return {};
}

}  // namespace virttdx
