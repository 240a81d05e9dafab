// SPDX-License-Identifier: GPL-2.0-or-later
// The members of device_config.h's types in JSON.
#pragma once

#include "control/json_fields.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

template <>
struct EnumNames<ImageFormat> {
  using F = ImageFormat;
  static constexpr EnumNameTable<F, 7> kNames = {{{F::Raw, "raw"},
                                                  {F::Qcow2, "qcow2"},
                                                  {F::Qed, "qed"},
                                                  {F::Vdi, "vdi"},
                                                  {F::Vhdx, "vhdx"},
                                                  {F::Vmdk, "vmdk"},
                                                  {F::Vpc, "vpc"}}};
};

template <>
struct EnumNames<DiskProtocol> {
  using P = DiskProtocol;
  static constexpr EnumNameTable<P, 11> kNames = {{{P::File, "file"},
                                                   {P::Block, "block"},
                                                   {P::Nbd, "nbd"},
                                                   {P::Rbd, "rbd"},
                                                   {P::Iscsi, "iscsi"},
                                                   {P::Http, "http"},
                                                   {P::Https, "https"},
                                                   {P::Ftp, "ftp"},
                                                   {P::Ftps, "ftps"},
                                                   {P::Ssh, "ssh"},
                                                   {P::Gluster, "gluster"}}};
};

template <>
struct EnumNames<DiskBus> {
  static constexpr EnumNameTable<DiskBus, 2> kNames = {
      {{DiskBus::VirtioBlk, "virtio-blk"}, {DiskBus::Scsi, "scsi"}}};
};

template <>
struct EnumNames<DiskKind> {
  static constexpr EnumNameTable<DiskKind, 2> kNames = {
      {{DiskKind::Disk, "disk"}, {DiskKind::Cdrom, "cdrom"}}};
};

template <>
struct EnumNames<DiskCache> {
  static constexpr EnumNameTable<DiskCache, 5> kNames = {{{DiskCache::None, "none"},
                                                          {DiskCache::Writeback, "writeback"},
                                                          {DiskCache::Writethrough, "writethrough"},
                                                          {DiskCache::Directsync, "directsync"},
                                                          {DiskCache::Unsafe, "unsafe"}}};
};

template <>
struct EnumNames<DiskIo> {
  static constexpr EnumNameTable<DiskIo, 3> kNames = {
      {{DiskIo::Threads, "threads"}, {DiskIo::Native, "native"}, {DiskIo::IoUring, "io-uring"}}};
};

template <>
struct EnumNames<DetectZeroes> {
  static constexpr EnumNameTable<DetectZeroes, 3> kNames = {
      {{DetectZeroes::Off, "off"}, {DetectZeroes::On, "on"}, {DetectZeroes::Unmap, "unmap"}}};
};

template <>
struct EnumNames<DiskErrorPolicy> {
  using P = DiskErrorPolicy;
  static constexpr EnumNameTable<P, 4> kNames = {
      {{P::Report, "report"}, {P::Ignore, "ignore"}, {P::Stop, "stop"}, {P::EnospaceStop, "enospace"}}};
};

template <>
struct EnumNames<NetworkBackend> {
  static constexpr EnumNameTable<NetworkBackend, 3> kNames = {
      {{NetworkBackend::Tap, "tap"}, {NetworkBackend::Macvtap, "macvtap"}, {NetworkBackend::Passt, "passt"}}};
};

template <>
struct EnumNames<MacvtapMode> {
  static constexpr EnumNameTable<MacvtapMode, 4> kNames = {{{MacvtapMode::Bridge, "bridge"},
                                                            {MacvtapMode::Vepa, "vepa"},
                                                            {MacvtapMode::Private, "private"},
                                                            {MacvtapMode::Passthrough, "passthrough"}}};
};

template <>
struct EnumNames<NetworkFeature> {
  static constexpr EnumNameTable<NetworkFeature, 9> kNames = {{{NetworkFeature::Csum, "csum"},
                                                               {NetworkFeature::HostTso4, "host-tso4"},
                                                               {NetworkFeature::HostTso6, "host-tso6"},
                                                               {NetworkFeature::HostEcn, "host-ecn"},
                                                               {NetworkFeature::GuestCsum, "guest-csum"},
                                                               {NetworkFeature::GuestTso4, "guest-tso4"},
                                                               {NetworkFeature::GuestTso6, "guest-tso6"},
                                                               {NetworkFeature::GuestEcn, "guest-ecn"},
                                                               {NetworkFeature::MrgRxbuf, "mrg-rxbuf"}}};
};

template <>
struct EnumNames<TransportProtocol> {
  static constexpr EnumNameTable<TransportProtocol, 2> kNames = {
      {{TransportProtocol::Tcp, "tcp"}, {TransportProtocol::Udp, "udp"}}};
};

template <>
struct EnumNames<CharacterBackend> {
  using B = CharacterBackend;
  static constexpr EnumNameTable<B, 5> kNames = {{{B::Null, "null"},
                                                  {B::Pty, "pty"},
                                                  {B::File, "file"},
                                                  {B::UnixListen, "unix-listen"},
                                                  {B::UnixConnect, "unix-connect"}}};
};

template <typename Visitor>
void describe(Visitor& visit, PciAddress& address) {
  visit.optional("bus", address.bus);
  visit.required("slot", address.slot);
  visit.optional("function", address.function);
}

template <typename Visitor>
void describe(Visitor& visit, PciRootPortConfig& port) {
  visit.required("id", port.id);
  visit.required("address", port.address);
  visit.required("bus", port.bus);
  visit.required("chassis", port.chassis);
  visit.optional("port", port.port);
  visit.optional("hotplug", port.hotplug);
}

template <typename Visitor>
void describe(Visitor& visit, NetworkHost& host) {
  visit.optional("name", host.name);
  visit.optional("port", host.port);
  visit.optional("unix_socket", host.unix_socket);
}

template <typename Visitor>
void describe(Visitor& visit, DiskSourceConfig& source) {
  visit.required("protocol", source.protocol);
  visit.required("path", source.path);
  visit.optional("hosts", source.hosts);
  visit.optional("query", source.query);
  visit.optional("user", source.user);
  visit.optional("secret_file", source.secret_file);
  visit.optional("cookies_file", source.cookies_file);
  visit.optional("ceph_configuration", source.ceph_configuration);
  visit.optional("ceph_snapshot", source.ceph_snapshot);
  visit.optional("luks_passphrase_file", source.luks_passphrase_file);
  visit.optional("tls", source.tls);
  visit.optional("tls_hostname", source.tls_hostname);
  visit.optional("reconnect_seconds", source.reconnect_seconds);
  visit.optional("initiator", source.initiator);
  visit.optional("verify_certificate", source.verify_certificate);
  visit.optional("readahead_bytes", source.readahead_bytes);
  visit.optional("timeout_seconds", source.timeout_seconds);
}

template <typename Visitor>
void describe(Visitor& visit, ScsiAddress& address) {
  visit.optional("controller", address.controller);
  visit.optional("target", address.target);
  visit.optional("lun", address.lun);
}

template <typename Visitor>
void describe(Visitor& visit, DiskRate& rate) {
  visit.optional("per_second", rate.per_second);
  visit.optional("maximum", rate.maximum);
  visit.optional("maximum_seconds", rate.maximum_seconds);
}

template <typename Visitor>
void describe(Visitor& visit, DiskLimits& limits) {
  visit.optional("total_bytes", limits.total_bytes);
  visit.optional("read_bytes", limits.read_bytes);
  visit.optional("write_bytes", limits.write_bytes);
  visit.optional("total_requests", limits.total_requests);
  visit.optional("read_requests", limits.read_requests);
  visit.optional("write_requests", limits.write_requests);
  visit.optional("request_unit_bytes", limits.request_unit_bytes);
  visit.optional("group", limits.group);
}

template <typename Visitor>
void describe(Visitor& visit, DiskConfig& disk) {
  visit.required("id", disk.id);
  visit.required("target", disk.target);
  visit.required("bus", disk.bus);
  visit.optional("kind", disk.kind);
  visit.optional("address", disk.address);
  visit.optional("scsi", disk.scsi);
  visit.optional("source", disk.source);
  visit.optional("format", disk.format);
  visit.optional("read_only", disk.read_only);
  visit.optional("shareable", disk.shareable);
  visit.optional("serial", disk.serial);
  visit.optional("wwn", disk.wwn);
  visit.optional("cache", disk.cache);
  visit.optional("io", disk.io);
  visit.optional("discard", disk.discard);
  visit.optional("detect_zeroes", disk.detect_zeroes);
  visit.optional("on_read_error", disk.on_read_error);
  visit.optional("on_write_error", disk.on_write_error);
  visit.optional("queues", disk.queues);
  visit.optional("queue_size", disk.queue_size);
  visit.optional("event_index", disk.event_index);
  visit.optional("logical_block_size", disk.logical_block_size);
  visit.optional("physical_block_size", disk.physical_block_size);
  visit.optional("boot_index", disk.boot_index);
  visit.optional("limits", disk.limits);
}

template <typename Visitor>
void describe(Visitor& visit, ScsiControllerConfig& controller) {
  visit.required("id", controller.id);
  visit.optional("index", controller.index);
  visit.required("address", controller.address);
  visit.optional("queues", controller.queues);
}

template <typename Visitor>
void describe(Visitor& visit, GuestAddress& address) {
  visit.required("address", address.address);
  visit.optional("prefix", address.prefix);
}

template <typename Visitor>
void describe(Visitor& visit, PortForward::Range& range) {
  visit.required("start", range.start);
  visit.optional("end", range.end);
  visit.optional("to", range.to);
  visit.optional("exclude", range.exclude);
}

template <typename Visitor>
void describe(Visitor& visit, PortForward& forward) {
  visit.required("protocol", forward.protocol);
  visit.optional("address", forward.address);
  visit.optional("device", forward.device);
  visit.list("ranges", forward.ranges);
}

template <typename Visitor>
void describe(Visitor& visit, NetworkInterfaceConfig& interface) {
  visit.required("id", interface.id);
  visit.required("address", interface.address);
  visit.required("mac", interface.mac);
  visit.required("backend", interface.backend);
  visit.optional("device", interface.device);
  visit.optional("bridge", interface.bridge);
  visit.optional("link", interface.link);
  visit.optional("macvtap_mode", interface.macvtap_mode);
  visit.optional("queue_pairs", interface.queue_pairs);
  visit.optional("rx_queue_size", interface.rx_queue_size);
  visit.optional("tx_queue_size", interface.tx_queue_size);
  visit.optional("mtu", interface.mtu);
  visit.optional("link_up", interface.link_up);
  visit.optional("event_index", interface.event_index);
  visit.optional("vhost", interface.vhost);
  visit.optional("boot_index", interface.boot_index);
  visit.list("without", interface.without);
  visit.list("addresses", interface.addresses);
  visit.list("port_forwards", interface.port_forwards);
}

template <typename Visitor>
void describe(Visitor& visit, VirtioSerialConfig& controller) {
  visit.required("id", controller.id);
  visit.optional("index", controller.index);
  visit.required("address", controller.address);
  visit.optional("max_ports", controller.max_ports);
}

template <typename Visitor>
void describe(Visitor& visit, ConsolePortConfig& port) {
  visit.required("id", port.id);
  visit.optional("controller", port.controller);
  visit.required("port", port.port);
  visit.optional("console", port.console);
  visit.optional("name", port.name);
  visit.required("backend", port.backend);
  visit.optional("path", port.path);
  visit.optional("log_file", port.log_file);
  visit.optional("append", port.append);
  visit.optional("log_append", port.log_append);
}

template <typename Visitor>
void describe(Visitor& visit, RngConfig& rng) {
  visit.required("id", rng.id);
  visit.required("address", rng.address);
  visit.optional("source", rng.source);
  visit.optional("bytes_per_period", rng.bytes_per_period);
  visit.optional("period_milliseconds", rng.period_milliseconds);
}

template <typename Visitor>
void describe(Visitor& visit, VsockConfig& vsock) {
  visit.required("id", vsock.id);
  visit.required("address", vsock.address);
  visit.optional("guest_cid", vsock.guest_cid);
}

template <typename Visitor>
void describe(Visitor& visit, BalloonConfig& balloon) {
  visit.required("id", balloon.id);
  visit.required("address", balloon.address);
  visit.optional("statistics_period_seconds", balloon.statistics_period_seconds);
  visit.optional("free_page_reporting", balloon.free_page_reporting);
  visit.optional("deflate_on_oom", balloon.deflate_on_oom);
}

template <typename Visitor>
void describe(Visitor& visit, KernelBootConfig& kernel) {
  visit.required("kernel", kernel.kernel);
  visit.optional("initrd", kernel.initrd);
  visit.optional("command_line", kernel.command_line);
}

template <typename Visitor>
void describe(Visitor& visit, SmbiosConfig::Bios& bios) {
  visit.optional("vendor", bios.vendor);
  visit.optional("version", bios.version);
  visit.optional("date", bios.date);
  visit.optional("release", bios.release);
}

template <typename Visitor>
void describe(Visitor& visit, SmbiosConfig::System& system) {
  visit.optional("manufacturer", system.manufacturer);
  visit.optional("product", system.product);
  visit.optional("version", system.version);
  visit.optional("serial", system.serial);
  visit.optional("sku", system.sku);
  visit.optional("family", system.family);
}

template <typename Visitor>
void describe(Visitor& visit, SmbiosConfig::Baseboard& board) {
  visit.optional("manufacturer", board.manufacturer);
  visit.optional("product", board.product);
  visit.optional("version", board.version);
  visit.optional("serial", board.serial);
  visit.optional("asset", board.asset);
  visit.optional("location", board.location);
}

template <typename Visitor>
void describe(Visitor& visit, SmbiosConfig::Chassis& chassis) {
  visit.optional("manufacturer", chassis.manufacturer);
  visit.optional("version", chassis.version);
  visit.optional("serial", chassis.serial);
  visit.optional("asset", chassis.asset);
  visit.optional("sku", chassis.sku);
}

template <typename Visitor>
void describe(Visitor& visit, SmbiosConfig& smbios) {
  visit.optional("bios", smbios.bios);
  visit.optional("system", smbios.system);
  visit.optional("baseboards", smbios.baseboards);
  visit.optional("chassis", smbios.chassis);
  visit.optional("oem_strings", smbios.oem_strings);
}

template <typename Visitor>
void describe(Visitor& visit, DeviceConfigs& devices) {
  visit.list("root_ports", devices.root_ports);
  visit.list("disks", devices.disks);
  visit.list("scsi_controllers", devices.scsi_controllers);
  visit.list("interfaces", devices.interfaces);
  visit.list("virtio_serials", devices.virtio_serials);
  visit.list("console_ports", devices.console_ports);
  visit.list("rngs", devices.rngs);
  visit.optional("vsock", devices.vsock);
  visit.optional("balloon", devices.balloon);
}

}  // namespace virttdx
