// SPDX-License-Identifier: GPL-2.0-or-later
// `<devices>` as libvirt's domain XML spells it. Words (buses, models, cache modes) are kept as written; a
// reader lets only libvirt's pass. Absent is absent: defaults are the work of complete_definition() and of
// the plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace virttdx::domain_xml {

/// Line of an element in the XML, for findings; 0: unknown. Equal to any other: no part of a definition.
struct SourceLine {
  int number = 0;
  bool operator==(const SourceLine&) const { return true; }
};

/// An element that is checked and kept as canonical XML, without a type of its own.
struct OtherElement {
  std::string element;
  std::string xml;
  SourceLine line = {};
  bool operator==(const OtherElement&) const = default;
};

struct PciDeviceAddress {
  std::uint32_t domain = 0, bus = 0, slot = 0, function = 0;
  std::optional<bool> multifunction;
  bool operator==(const PciDeviceAddress&) const = default;
};
struct DriveAddress {
  std::uint32_t controller = 0, bus = 0, target = 0, unit = 0;
  bool operator==(const DriveAddress&) const = default;
};
struct VirtioSerialAddress {
  std::uint32_t controller = 0, bus = 0;
  std::optional<std::uint32_t> port;
  bool operator==(const VirtioSerialAddress&) const = default;
};
struct UsbAddress {
  std::uint32_t bus = 0;
  std::optional<std::string> port;  ///< "1.2"
  bool operator==(const UsbAddress&) const = default;
};
struct IsaAddress {
  std::optional<std::string> iobase, irq;
  bool operator==(const IsaAddress&) const = default;
};
using DeviceAddress =
    std::variant<PciDeviceAddress, DriveAddress, VirtioSerialAddress, UsbAddress, IsaAddress>;

/// What every device may have.
struct DeviceInfo {
  std::optional<std::uint32_t> boot_order;
  std::optional<std::string> alias;  ///< of a running domain, or the user's ("ua-...")
  std::optional<std::uint32_t> acpi_index;
  std::optional<DeviceAddress> address;
  SourceLine line = {};
  bool operator==(const DeviceInfo&) const = default;
};

/// `<driver iommu=.. ats=.. packed=..>` of virtio devices.
struct VirtioOptions {
  std::optional<bool> iommu, ats, packed;
  bool operator==(const VirtioOptions&) const = default;
};

struct Secret {
  std::string type;  ///< ceph, iscsi, passphrase ...
  std::optional<std::string> uuid, usage;
  bool operator==(const Secret&) const = default;
};
struct Authentication {
  std::string username;
  std::optional<Secret> secret;
  bool operator==(const Authentication&) const = default;
};
struct Encryption {
  std::string format;                 ///< luks, luks2, qcow
  std::optional<std::string> engine;  ///< qemu, librbd
  std::vector<Secret> secrets;
  bool operator==(const Encryption&) const = default;
};
struct SourceHost {
  std::optional<std::string> transport, name, port, socket;
  bool operator==(const SourceHost&) const = default;
};

/// `<source>` of a disk: the members that its type has.
struct DiskSource {
  std::optional<std::string> file, dev, dir;
  std::optional<std::string> protocol, name, query;
  std::optional<bool> tls;
  std::optional<std::string> tls_hostname;
  std::optional<std::string> pool, volume, mode;
  std::optional<std::string> socket_type, socket_path;  ///< vhostuser
  std::optional<std::string> startup_policy;
  std::optional<std::uint32_t> index;  ///< live
  std::vector<SourceHost> hosts;
  std::optional<std::string> snapshot, configuration;
  std::optional<Authentication> authentication;
  std::optional<Encryption> encryption;
  std::vector<OtherElement> others;  ///< ssl, cookies, readahead, timeout, initiator, reservations
  bool operator==(const DiskSource&) const = default;
};

/// `<backingStore>`: a chain; an empty type ends it.
struct BackingStore {
  std::string type;
  std::optional<std::uint32_t> index;  ///< live
  std::optional<std::string> format;
  std::optional<DiskSource> source;
  std::vector<BackingStore> next;  ///< none or one
  bool operator==(const BackingStore&) const = default;
};

/// `<iotune>`; names as there.
struct IoTune {
  using Limit = std::optional<std::uint64_t>;
  Limit total_bytes_sec, read_bytes_sec, write_bytes_sec, total_iops_sec, read_iops_sec, write_iops_sec;
  Limit total_bytes_sec_max, read_bytes_sec_max, write_bytes_sec_max;
  Limit total_iops_sec_max, read_iops_sec_max, write_iops_sec_max;
  Limit size_iops_sec;
  std::optional<std::string> group_name;
  Limit total_bytes_sec_max_length, read_bytes_sec_max_length, write_bytes_sec_max_length;
  Limit total_iops_sec_max_length, read_iops_sec_max_length, write_iops_sec_max_length;
  bool operator==(const IoTune&) const = default;
};

struct DiskDriver {
  std::optional<std::string> name, type, cache, error_policy, rerror_policy, io;
  std::optional<bool> ioeventfd, event_idx, copy_on_read;
  std::optional<std::string> discard;
  std::optional<std::uint32_t> iothread;
  std::optional<std::string> detect_zeroes;
  std::optional<std::uint32_t> queues, queue_size;
  VirtioOptions virtio;
  bool operator==(const DiskDriver&) const = default;
};

struct Disk : DeviceInfo {
  std::string type = "file";          ///< file, block, dir, network, volume, nvme, vhostuser
  std::optional<std::string> device;  ///< disk, cdrom, floppy, lun
  std::optional<std::string> model;   ///< virtio ...
  std::optional<std::string> snapshot;
  DiskDriver driver;
  std::optional<Authentication> authentication;  ///< written as a child of `<disk>`
  std::optional<DiskSource> source;
  std::optional<BackingStore> backing_store;
  std::optional<std::uint32_t> logical_block_size, physical_block_size;
  std::string target_dev;                 ///< vda
  std::optional<std::string> target_bus;  ///< virtio, scsi, sata, usb, ide, fdc, sd, xen
  std::optional<std::string> tray;        ///< open, closed
  std::optional<bool> removable;
  std::optional<std::uint32_t> rotation_rate;
  IoTune iotune;
  bool readonly = false;
  bool shareable = false;
  bool transient = false;
  std::optional<std::string> serial, wwn, vendor, product;
  std::optional<Encryption> encryption;  ///< written as a child of `<disk>`
  bool operator==(const Disk&) const = default;
};

struct Controller : DeviceInfo {
  std::string type;  ///< pci, virtio-serial, scsi, sata, usb, ide, fdc, ccid
  std::optional<std::uint32_t> index;
  std::optional<std::string> model;
  std::optional<std::uint32_t> ports, vectors;
  struct Driver {
    std::optional<std::uint32_t> queues, cmd_per_lun, max_sectors;
    std::optional<bool> ioeventfd;
    std::optional<std::uint32_t> iothread;
    VirtioOptions virtio;
    bool operator==(const Driver&) const = default;
  } driver;
  std::optional<std::uint32_t> master_startport;  ///< usb
  std::optional<std::string> pci_model_name;
  std::optional<std::uint32_t> pci_chassis_number, pci_chassis, pci_port, pci_bus_number;
  std::optional<bool> pci_hotplug;
  bool operator==(const Controller&) const = default;
};

struct InterfaceSource {
  std::optional<std::string> network, portgroup;
  std::optional<std::string> port_id;  ///< live: the port in the network's daemon
  std::optional<std::string> bridge;   ///< of a bridge; live of a network
  std::optional<std::string> dev, mode;
  std::optional<std::string> socket_type, socket_path;  ///< vhostuser
  bool operator==(const InterfaceSource&) const = default;
};
struct InterfaceOffloads {
  std::optional<bool> csum, gso, tso4, tso6, ecn, ufo, mrg_rxbuf;
  bool operator==(const InterfaceOffloads&) const = default;
};
struct InterfaceDriver {
  std::optional<std::string> name, txmode;
  std::optional<bool> ioeventfd, event_idx;
  std::optional<std::uint32_t> queues, rx_queue_size, tx_queue_size;
  std::optional<bool> rss, rss_hash_report;
  VirtioOptions virtio;
  InterfaceOffloads host, guest;
  bool operator==(const InterfaceDriver&) const = default;
};
struct Interface : DeviceInfo {
  std::string type;  ///< network, bridge, ethernet, user, direct, vhostuser, hostdev ...
  std::optional<bool> trust_guest_rx_filters;
  std::optional<std::string> mac;
  std::optional<std::string> mac_type, mac_check;
  std::optional<InterfaceSource> source;
  std::optional<std::string> script;
  std::optional<std::string> target_dev;
  std::optional<bool> target_managed;
  std::optional<std::string> guest_dev;
  std::optional<std::string> model;
  InterfaceDriver driver;
  std::optional<std::string> backend_type, backend_tap, backend_vhost, backend_log_file;
  std::optional<std::string> link_state;  ///< up, down
  std::optional<std::uint32_t> mtu;
  std::optional<bool> isolated;
  std::vector<OtherElement> others;  ///< vlan, virtualport, bandwidth, ip, route, filterref, tune ...
  bool operator==(const Interface&) const = default;
};

/// `<serial>`, `<console>` and `<channel>`. A console of target type serial is an alias of the serial port of
/// the same number.
struct CharacterDevice : DeviceInfo {
  std::string type;                        ///< pty, file, null, unix, tcp, spicevmc ...
  std::optional<std::string> source_mode;  ///< unix, tcp: bind, connect
  std::optional<std::string> source_host, source_service;
  std::optional<std::string> source_path;  ///< of a file or socket; of a live pty
  std::optional<bool> append;
  std::optional<std::string> protocol;  ///< tcp
  std::optional<std::string> log_file;
  std::optional<bool> log_append;
  std::optional<std::string>
      target_type;  ///< isa-serial (serial); serial, virtio (console); virtio (channel)
  std::optional<std::string> target_model;  ///< isa-serial
  std::optional<std::uint32_t> target_port;
  std::optional<std::string> target_name;   ///< channel
  std::optional<std::string> target_state;  ///< channel, live: connected, disconnected
  bool operator==(const CharacterDevice&) const = default;
};

struct Rng : DeviceInfo {
  std::string model = "virtio";
  std::optional<std::uint32_t> rate_bytes, rate_period_ms;
  std::string backend_model = "random";       ///< random, egd, builtin
  std::optional<std::string> backend_source;  ///< random
  std::optional<std::string> backend_type;    ///< egd
  VirtioOptions virtio;
  std::vector<OtherElement> backend_others;  ///< egd: source, protocol
  bool operator==(const Rng&) const = default;
};

struct MemoryBalloon : DeviceInfo {
  std::string model;  ///< virtio, none ...
  std::optional<bool> autodeflate, free_page_reporting;
  std::optional<std::uint32_t> statistics_period;
  VirtioOptions virtio;
  bool operator==(const MemoryBalloon&) const = default;
};

struct Vsock : DeviceInfo {
  std::optional<std::string> model;  ///< virtio ...
  std::optional<bool> cid_auto;
  std::optional<std::uint32_t> cid;
  VirtioOptions virtio;
  bool operator==(const Vsock&) const = default;
};

struct Devices {
  std::optional<std::string> emulator;
  std::vector<Disk> disks;
  std::vector<Controller> controllers;
  std::vector<Interface> interfaces;
  std::vector<CharacterDevice> serials;
  std::vector<CharacterDevice> consoles;
  std::vector<CharacterDevice> channels;
  std::optional<MemoryBalloon> memballoon;
  std::vector<Rng> rngs;
  std::optional<Vsock> vsock;
  /// Input, graphics, video, sound, host devices ..., in libvirt's order.
  std::vector<OtherElement> others;
  bool operator==(const Devices&) const = default;
};

}  // namespace virttdx::domain_xml
