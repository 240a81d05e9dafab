// SPDX-License-Identifier: GPL-2.0-or-later
// The devices of a TD and what its firmware is handed, as plain data: parts of a VmConfig. All devices are
// virtio 1.x over PCI Express. Ranges that validate() checks stand at the members.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace virttdx {

/// Place of a device in PCI segment 0. No two devices of a TD share one.
struct PciAddress {
  std::uint8_t bus = 0;   ///< 0: the root complex; else the bus of a PciRootPortConfig
  std::uint8_t slot = 0;  ///< 0 to 31; only 0 behind a root port. On bus 0 slots 0 and 31 are the chipset's
  std::uint8_t function = 0;  ///< 0 to 7
  bool operator==(const PciAddress&) const = default;
};

/// A PCI Express root port on bus 0.
struct PciRootPortConfig {
  std::string id;            ///< for messages, events and hot-plug: libvirt's alias, "pci.1"
  PciAddress address;        ///< on bus 0
  std::uint8_t bus = 1;      ///< the bus behind it: 1 to 255
  std::uint8_t chassis = 1;  ///< number that the slot shows, unique
  std::uint8_t port = 0x10;  ///< port number in the Link Capabilities register
  bool hotplug = true;       ///< the slot is hot-plug capable
  bool operator==(const PciRootPortConfig&) const = default;
};

/// Formats of an image's bytes.
enum class ImageFormat : std::uint8_t { Raw, Qcow2, Qed, Vdi, Vhdx, Vmdk, Vpc };

/// How the image is reached.
enum class DiskProtocol : std::uint8_t { File, Block, Nbd, Rbd, Iscsi, Http, Https, Ftp, Ftps, Ssh, Gluster };

/// A server of a network disk: either a host with a port or a Unix socket.
struct NetworkHost {
  std::string name;         ///< host name or address
  std::uint16_t port = 0;   ///< 0: the protocol's own
  std::string unix_socket;  ///< path; then `name` is empty
  bool operator==(const NetworkHost&) const = default;
};

/// Where a disk's bytes are.
struct DiskSourceConfig {
  DiskProtocol protocol = DiskProtocol::File;
  /// Absolute path (File, Block); export name (Nbd, may be empty), POOL/IMAGE (Rbd), target/lun (Iscsi), path
  /// of the URL.
  std::string path;
  std::vector<NetworkHost> hosts;    ///< network protocols only; Rbd: may be empty (ceph's own configuration)
  std::optional<std::string> query;  ///< Http, Https: after the '?'
  std::optional<std::string> user;   ///< to log in as
  /// File with the password or key of `user`. Read once, when the disk is opened; "/proc/self/fd/N" names a
  /// descriptor that the monitor inherits, such as a pipe.
  std::optional<std::string> secret_file;
  std::optional<std::string> cookies_file;        ///< as secret_file: the Cookie to send (Http, Https)
  std::optional<std::string> ceph_configuration;  ///< Rbd: path of a ceph.conf
  std::optional<std::string> ceph_snapshot;       ///< Rbd
  /// As secret_file. The image is a LUKS container, or LUKS inside qcow2.
  std::optional<std::string> luks_passphrase_file;
  bool tls = false;  ///< Nbd
  /// Nbd: the name that the server's certificate must have. Absent: the host's.
  std::optional<std::string> tls_hostname;
  std::optional<std::uint32_t> reconnect_seconds;  ///< Nbd: so long a lost server is waited for; absent: not
  std::optional<std::string> initiator;            ///< Iscsi: the name that the host has there
  std::optional<bool> verify_certificate;          ///< Https, Ftps; absent: true
  std::optional<std::uint64_t> readahead_bytes, timeout_seconds;  ///< Http, Https, Ftp, Ftps
  bool operator==(const DiskSourceConfig&) const = default;
};

enum class DiskBus : std::uint8_t {
  VirtioBlk,
  Scsi,  ///< on a ScsiControllerConfig
};
enum class DiskKind : std::uint8_t { Disk, Cdrom };
/// QEMU's words: which of host page cache, flush and sync are used.
enum class DiskCache : std::uint8_t { None, Writeback, Writethrough, Directsync, Unsafe };
enum class DiskIo : std::uint8_t { Threads, Native, IoUring };
enum class DetectZeroes : std::uint8_t { Off, On, Unmap };
/// What becomes of an operation that the image refused. libvirt's error_policy.
enum class DiskErrorPolicy : std::uint8_t {
  Report,  ///< the guest gets the error
  Ignore,  ///< the guest believes that it succeeded
  Stop,    ///< the TD is paused; the operation begins again when it is resumed
  /// As Stop when the image's file system or device is full, else as Report. Of writes only.
  EnospaceStop,
};

/// Place of a SCSI device.
struct ScsiAddress {
  std::uint8_t controller = 0;  ///< index of a ScsiControllerConfig
  std::uint8_t target = 0;      ///< 0 to 255
  std::uint16_t lun = 0;        ///< 0 to 16383
  bool operator==(const ScsiAddress&) const = default;
};

/// A rate with bursts; 0: no limit. libvirt's <iotune>.
struct DiskRate {
  std::uint64_t per_second = 0;
  std::uint64_t maximum = 0;          ///< during a burst
  std::uint64_t maximum_seconds = 0;  ///< length of a burst; 0: 1 second
  bool operator==(const DiskRate&) const = default;
};
struct DiskLimits {
  DiskRate total_bytes, read_bytes, write_bytes;
  DiskRate total_requests, read_requests, write_requests;
  std::uint64_t request_unit_bytes = 0;  ///< a larger request counts as several; 0: each counts as one
  std::string group;                     ///< disks of the same non-empty group share their limits
  bool operator==(const DiskLimits&) const = default;
};

struct DiskConfig {
  std::string id;      ///< unique; libvirt's alias, "virtio-disk0"
  std::string target;  ///< what statistics and commands call it; libvirt's target dev, "vda"; unique
  DiskBus bus = DiskBus::VirtioBlk;
  DiskKind kind = DiskKind::Disk;
  PciAddress address;  ///< VirtioBlk
  ScsiAddress scsi;    ///< Scsi
  /// Absent: an empty CD-ROM drive.
  std::optional<DiskSourceConfig> source;
  ImageFormat format = ImageFormat::Raw;
  bool read_only = false;
  bool shareable = false;            ///< several VMs have it open: no image lock
  std::string serial;                ///< at most 20 bytes on VirtioBlk, 247 on Scsi
  std::optional<std::uint64_t> wwn;  ///< Scsi: NAA name
  DiskCache cache = DiskCache::Writeback;
  DiskIo io = DiskIo::IoUring;
  bool discard = false;  ///< discards reach the image
  DetectZeroes detect_zeroes = DetectZeroes::Off;
  DiskErrorPolicy on_read_error = DiskErrorPolicy::Report;
  /// Of everything that changes the image, and of flushes. The default is QEMU's.
  DiskErrorPolicy on_write_error = DiskErrorPolicy::EnospaceStop;
  std::uint16_t queues = 1;                ///< VirtioBlk: 1 to 256
  std::uint16_t queue_size = 256;          ///< VirtioBlk: power of two, 2 to 1024
  bool event_index = true;                 ///< VirtioBlk: VIRTIO_F_EVENT_IDX is offered
  std::uint32_t logical_block_size = 512;  ///< power of two, 512 to 32768
  std::uint32_t physical_block_size = 0;   ///< the same or 0: as the logical one
  /// Place in the firmware's boot order, lowest first; unique among disks and interfaces.
  std::optional<std::uint32_t> boot_index;
  DiskLimits limits;
  bool operator==(const DiskConfig&) const = default;
};

/// A virtio-scsi controller.
struct ScsiControllerConfig {
  std::string id;  ///< "scsi0"
  std::uint8_t index = 0;
  PciAddress address;
  std::uint16_t queues = 1;  ///< request queues: 1 to 256
  bool operator==(const ScsiControllerConfig&) const = default;
};

enum class NetworkBackend : std::uint8_t {
  Tap,      ///< a tap device on a bridge, or left alone
  Macvtap,  ///< on a host interface
  Passt,    ///< user networking: passt is started for it
};
enum class MacvtapMode : std::uint8_t { Bridge, Vepa, Private, Passthrough };

/// Features of a virtio interface that can be left out: VIRTIO_NET_F_...
enum class NetworkFeature : std::uint8_t {
  Csum,
  HostTso4,
  HostTso6,
  HostEcn,
  GuestCsum,
  GuestTso4,
  GuestTso6,
  GuestEcn,
  MrgRxbuf,
};

/// An address that passt gives the guest.
struct GuestAddress {
  std::string address;                 ///< IPv4 or IPv6
  std::optional<std::uint8_t> prefix;  ///< IPv4: 1 to 32
  bool operator==(const GuestAddress&) const = default;
};

enum class TransportProtocol : std::uint8_t { Tcp, Udp };

/// Ports of the host that passt forwards to the guest.
struct PortForward {
  struct Range {
    std::uint16_t start = 0;           ///< not 0
    std::optional<std::uint16_t> end;  ///< last one; absent: start
    std::optional<std::uint16_t> to;   ///< the guest's port for `start`; absent: the same
    bool exclude = false;              ///< not these
    bool operator==(const Range&) const = default;
  };
  TransportProtocol protocol = TransportProtocol::Tcp;
  std::optional<std::string> address;  ///< of the host; absent: all
  std::optional<std::string> device;   ///< of the host; with an address
  std::vector<Range> ranges;           ///< none: all ports
  bool operator==(const PortForward&) const = default;
};

struct NetworkInterfaceConfig {
  std::string id;  ///< unique; "net0"
  PciAddress address;
  std::string mac;  ///< "52:54:00:12:34:56", unicast
  NetworkBackend backend = NetworkBackend::Tap;
  /// Tap, Macvtap: the host's device, made when it is not there; at most 15 bytes. A single "%d" in it stands
  /// for the first number that is free.
  std::string device;
  std::optional<std::string> bridge;  ///< Tap: bridge that the device joins
  std::optional<std::string> link;    ///< Macvtap: the host's interface below. Passt: to take addresses from
  MacvtapMode macvtap_mode = MacvtapMode::Bridge;
  std::uint16_t queue_pairs = 1;      ///< 1 to 128
  std::uint16_t rx_queue_size = 256;  ///< power of two, 64 to 1024
  std::uint16_t tx_queue_size = 256;  ///< power of two, 64 to 1024
  std::optional<std::uint16_t> mtu;   ///< told to the guest: 68 to 65535
  bool link_up = true;
  bool event_index = true;  ///< VIRTIO_F_EVENT_IDX is offered
  bool vhost = false;       ///< the kernel's vhost-net moves the packets
  std::optional<std::uint32_t> boot_index;
  std::vector<NetworkFeature> without;     ///< not offered, though the host's side has them
  std::vector<GuestAddress> addresses;     ///< Passt: at most one IPv4 and one IPv6 address
  std::vector<PortForward> port_forwards;  ///< Passt
  bool operator==(const NetworkInterfaceConfig&) const = default;
};

/// A virtio console device (libvirt's controller of type virtio-serial).
struct VirtioSerialConfig {
  std::string id;  ///< "virtio-serial0"
  std::uint8_t index = 0;
  PciAddress address;
  std::uint32_t max_ports = 31;  ///< 1 to 31
  bool operator==(const VirtioSerialConfig&) const = default;
};

enum class CharacterBackend : std::uint8_t {
  Null,         ///< output vanishes
  Pty,          ///< a new pseudo-terminal; its path is in the status
  File,         ///< output only
  UnixListen,   ///< one client at a time
  UnixConnect,  ///< fails the start when nobody listens
};

/// A port of a VirtioSerialConfig: a console (hvc0 ...) or a channel with a name.
struct ConsolePortConfig {
  std::string id;               ///< unique; "channel0", "console1"
  std::uint8_t controller = 0;  ///< index of a VirtioSerialConfig
  std::uint32_t port = 0;       ///< below its max_ports, unique; port 0 is for a console
  bool console = false;         ///< virtio's VIRTIO_CONSOLE_CONSOLE_PORT
  std::string name;             ///< "org.qemu.guest_agent.0"; empty: no name
  CharacterBackend backend = CharacterBackend::Null;
  std::optional<std::string> path;      ///< File, UnixListen, UnixConnect
  std::optional<std::string> log_file;  ///< output is also written there
  bool append = false;                  ///< File: keep what it holds
  bool log_append = false;
  bool operator==(const ConsolePortConfig&) const = default;
};

struct RngConfig {
  std::string id;  ///< "rng0"
  PciAddress address;
  std::string source = "/dev/urandom";    ///< absolute path
  std::uint32_t bytes_per_period = 0;     ///< 0: no limit
  std::uint32_t period_milliseconds = 0;  ///< not 0 with a limit
  bool operator==(const RngConfig&) const = default;
};

struct VsockConfig {
  std::string id;  ///< "vsock0"
  PciAddress address;
  /// Context id, 3 to 0xFFFFFFFE. 0: the first one that the host has free, told in the status.
  std::uint32_t guest_cid = 0;
  bool operator==(const VsockConfig&) const = default;
};

struct BalloonConfig {
  std::string id;  ///< "balloon0"
  PciAddress address;
  std::uint32_t statistics_period_seconds = 0;  ///< 0: asked for on demand only
  bool free_page_reporting = false;
  bool deflate_on_oom = false;
  bool operator==(const BalloonConfig&) const = default;
};

/// A kernel that the firmware starts, through fw_cfg.
struct KernelBootConfig {
  std::string kernel;                 ///< path of a bzImage or EFI image
  std::optional<std::string> initrd;  ///< path
  std::string command_line;
  bool operator==(const KernelBootConfig&) const = default;
};

/// SMBIOS tables besides the ones that the machine always has. Empty texts: the machine's own.
struct SmbiosConfig {
  struct Bios {  ///< type 0
    std::string vendor, version, date;
    std::optional<std::uint16_t> release;  ///< major in the high byte, minor in the low one
    bool operator==(const Bios&) const = default;
  };
  struct System {  ///< type 1; its UUID is the TD's
    std::string manufacturer, product, version, serial, sku, family;
    bool operator==(const System&) const = default;
  };
  struct Baseboard {  ///< type 2
    std::string manufacturer, product, version, serial, asset, location;
    bool operator==(const Baseboard&) const = default;
  };
  struct Chassis {  ///< type 3
    std::string manufacturer, version, serial, asset, sku;
    bool operator==(const Chassis&) const = default;
  };
  Bios bios;
  System system;
  std::vector<Baseboard> baseboards;
  Chassis chassis;
  std::vector<std::string> oem_strings;  ///< type 11
  bool operator==(const SmbiosConfig&) const = default;
};

/// All devices besides the serial ports, and what the firmware is handed.
struct DeviceConfigs {
  std::vector<PciRootPortConfig> root_ports;
  std::vector<DiskConfig> disks;
  std::vector<ScsiControllerConfig> scsi_controllers;
  std::vector<NetworkInterfaceConfig> interfaces;
  std::vector<VirtioSerialConfig> virtio_serials;
  std::vector<ConsolePortConfig> console_ports;
  std::vector<RngConfig> rngs;
  std::optional<VsockConfig> vsock;
  std::optional<BalloonConfig> balloon;
  bool operator==(const DeviceConfigs&) const = default;
};

}  // namespace virttdx
