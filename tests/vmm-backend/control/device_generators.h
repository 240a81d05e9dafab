// SPDX-License-Identifier: GPL-2.0-or-later
// Arbitrary devices: any value that the types can hold, valid or not.
#pragma once

#include <rapidcheck.h>

#include "vmm_backend/device_config.h"

namespace virttdx::test {

inline bool any_flag() { return *rc::gen::arbitrary<bool>(); }

template <typename Number>
Number any_number() {
  return *rc::gen::arbitrary<Number>();
}

template <typename Enum>
Enum any_of(int count) {
  return static_cast<Enum>(*rc::gen::inRange(0, count));
}

inline std::string any_text() {
  return *rc::gen::elementOf(std::vector<std::string>{"", "a", "/x y", "\"<\n"});
}

template <typename Make>
auto maybe(Make make) {
  return any_flag() ? std::optional(make()) : std::nullopt;
}

template <typename Make>
auto some(Make make) {
  std::vector<decltype(make())> list;
  for (auto n = *rc::gen::inRange(0, 3); n > 0; --n) list.push_back(make());
  return list;
}

inline PciAddress any_pci_address() {
  return {any_number<std::uint8_t>(), any_number<std::uint8_t>(), any_number<std::uint8_t>()};
}

inline PciRootPortConfig any_root_port() {
  return {any_text(),
          any_pci_address(),
          any_number<std::uint8_t>(),
          any_number<std::uint8_t>(),
          any_number<std::uint8_t>(),
          any_flag()};
}

inline DiskSourceConfig any_source() {
  return {any_of<DiskProtocol>(11),
          any_text(),
          some([] {
            return NetworkHost{any_text(), any_number<std::uint16_t>(), any_text()};
          }),
          maybe(any_text),
          maybe(any_text),
          maybe(any_text),
          maybe(any_text),
          maybe(any_text),
          maybe(any_text),
          maybe(any_text),
          any_flag(),
          maybe(any_text),
          maybe(any_number<std::uint32_t>),
          maybe(any_text),
          maybe(any_flag),
          maybe(any_number<std::uint64_t>),
          maybe(any_number<std::uint64_t>)};
}

inline DiskRate any_rate() {
  return {any_number<std::uint64_t>(), any_number<std::uint64_t>(), any_number<std::uint64_t>()};
}

inline DiskConfig any_disk() {
  DiskConfig disk;
  disk.id = any_text();
  disk.target = any_text();
  disk.bus = any_of<DiskBus>(2);
  disk.kind = any_of<DiskKind>(2);
  disk.address = any_pci_address();
  disk.scsi = {any_number<std::uint8_t>(), any_number<std::uint8_t>(), any_number<std::uint16_t>()};
  disk.source = maybe(any_source);
  disk.format = any_of<ImageFormat>(7);
  disk.read_only = any_flag();
  disk.shareable = any_flag();
  disk.serial = any_text();
  disk.wwn = maybe(any_number<std::uint64_t>);
  disk.cache = any_of<DiskCache>(5);
  disk.io = any_of<DiskIo>(3);
  disk.discard = any_flag();
  disk.detect_zeroes = any_of<DetectZeroes>(3);
  disk.queues = any_number<std::uint16_t>();
  disk.queue_size = any_number<std::uint16_t>();
  disk.event_index = any_flag();
  disk.logical_block_size = any_number<std::uint32_t>();
  disk.physical_block_size = any_number<std::uint32_t>();
  disk.boot_index = maybe(any_number<std::uint32_t>);
  disk.limits = {
      any_rate(), any_rate(), any_rate(), any_rate(), any_rate(), any_rate(), any_number<std::uint64_t>(),
      any_text()};
  return disk;
}

inline PortForward any_port_forward() {
  PortForward forward;
  forward.protocol = any_of<TransportProtocol>(2);
  forward.address = maybe(any_text);
  forward.device = maybe(any_text);
  if (any_flag())
    forward.ranges.push_back({any_number<std::uint16_t>(), maybe(any_number<std::uint16_t>),
                              maybe(any_number<std::uint16_t>), any_flag()});
  return forward;
}

inline NetworkInterfaceConfig any_interface() {
  NetworkInterfaceConfig interface;
  interface.id = any_text();
  interface.address = any_pci_address();
  interface.mac = any_text();
  interface.backend = any_of<NetworkBackend>(3);
  interface.device = any_text();
  interface.bridge = maybe(any_text);
  interface.link = maybe(any_text);
  interface.macvtap_mode = any_of<MacvtapMode>(4);
  interface.queue_pairs = any_number<std::uint16_t>();
  interface.rx_queue_size = any_number<std::uint16_t>();
  interface.tx_queue_size = any_number<std::uint16_t>();
  interface.mtu = maybe(any_number<std::uint16_t>);
  interface.link_up = any_flag();
  interface.event_index = any_flag();
  interface.vhost = any_flag();
  interface.boot_index = maybe(any_number<std::uint32_t>);
  if (any_flag()) interface.without = {any_of<NetworkFeature>(9), any_of<NetworkFeature>(9)};
  if (any_flag()) interface.addresses = {{any_text(), maybe(any_number<std::uint8_t>)}};
  if (any_flag()) interface.port_forwards = {any_port_forward(), any_port_forward()};
  return interface;
}

inline ConsolePortConfig any_console_port() {
  return {any_text(),
          any_number<std::uint8_t>(),
          any_number<std::uint32_t>(),
          any_flag(),
          any_text(),
          any_of<CharacterBackend>(5),
          maybe(any_text),
          maybe(any_text),
          any_flag(),
          any_flag()};
}

inline KernelBootConfig any_kernel() { return {any_text(), maybe(any_text), any_text()}; }

inline SmbiosConfig any_smbios() {
  SmbiosConfig smbios;
  smbios.bios = {any_text(), any_text(), any_text(), maybe(any_number<std::uint16_t>)};
  smbios.system = {any_text(), any_text(), any_text(), any_text(), any_text(), any_text()};
  smbios.baseboards = some([] {
    return SmbiosConfig::Baseboard{any_text(), any_text(), any_text(), any_text(), any_text(), any_text()};
  });
  smbios.chassis = {any_text(), any_text(), any_text(), any_text(), any_text()};
  smbios.oem_strings = some(any_text);
  return smbios;
}

inline DeviceConfigs any_devices() {
  DeviceConfigs devices;
  devices.root_ports = some(any_root_port);
  devices.disks = some(any_disk);
  devices.scsi_controllers = some([] {
    return ScsiControllerConfig{any_text(), any_number<std::uint8_t>(), any_pci_address(),
                                any_number<std::uint16_t>()};
  });
  devices.interfaces = some(any_interface);
  devices.virtio_serials = some([] {
    return VirtioSerialConfig{any_text(), any_number<std::uint8_t>(), any_pci_address(),
                              any_number<std::uint32_t>()};
  });
  devices.console_ports = some(any_console_port);
  devices.rngs = some([] {
    return RngConfig{any_text(), any_pci_address(), any_text(), any_number<std::uint32_t>(),
                     any_number<std::uint32_t>()};
  });
  devices.vsock = maybe([] {
    return VsockConfig{any_text(), any_pci_address(), any_number<std::uint32_t>()};
  });
  devices.balloon = maybe([] {
    return BalloonConfig{any_text(), any_pci_address(), any_number<std::uint32_t>(), any_flag(), any_flag()};
  });
  return devices;
}

}  // namespace virttdx::test

namespace rc {

template <>
struct Arbitrary<virttdx::DeviceConfigs> {
  static Gen<virttdx::DeviceConfigs> arbitrary() { return gen::exec(virttdx::test::any_devices); }
};

}  // namespace rc
