// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "domain_xml/cookies.h"
#include "domain_xml/live_change.h"
#include "plan/device_planning.h"
#include "plan/network_source.h"

namespace virttdx::domain_xml {
namespace {

constexpr auto kDiskPath = "/domain/devices/disk";

template <typename Enum>
struct Named {
  std::string_view name;
  Enum value;
};
template <typename Enum, std::size_t kSize>
std::optional<Enum> find_named(const std::array<Named<Enum>, kSize>& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Named<Enum>::name);
  return found == table.end() ? std::nullopt : std::optional(found->value);
}

constexpr std::array kFormats = {
    Named<ImageFormat>{"raw", ImageFormat::Raw},   Named<ImageFormat>{"qcow2", ImageFormat::Qcow2},
    Named<ImageFormat>{"qed", ImageFormat::Qed},   Named<ImageFormat>{"vdi", ImageFormat::Vdi},
    Named<ImageFormat>{"vhdx", ImageFormat::Vhdx}, Named<ImageFormat>{"vmdk", ImageFormat::Vmdk},
    Named<ImageFormat>{"vpc", ImageFormat::Vpc},   Named<ImageFormat>{"iso", ImageFormat::Raw},
    Named<ImageFormat>{"luks", ImageFormat::Raw},
};
constexpr std::array kProtocols = {
    Named<DiskProtocol>{"nbd", DiskProtocol::Nbd},         Named<DiskProtocol>{"rbd", DiskProtocol::Rbd},
    Named<DiskProtocol>{"iscsi", DiskProtocol::Iscsi},     Named<DiskProtocol>{"http", DiskProtocol::Http},
    Named<DiskProtocol>{"https", DiskProtocol::Https},     Named<DiskProtocol>{"ftp", DiskProtocol::Ftp},
    Named<DiskProtocol>{"ftps", DiskProtocol::Ftps},       Named<DiskProtocol>{"ssh", DiskProtocol::Ssh},
    Named<DiskProtocol>{"gluster", DiskProtocol::Gluster},
};
constexpr std::array kCaches = {
    Named<DiskCache>{"none", DiskCache::None},
    Named<DiskCache>{"writeback", DiskCache::Writeback},
    Named<DiskCache>{"default", DiskCache::Writeback},
    Named<DiskCache>{"writethrough", DiskCache::Writethrough},
    Named<DiskCache>{"directsync", DiskCache::Directsync},
    Named<DiskCache>{"unsafe", DiskCache::Unsafe},
};
constexpr std::array kIos = {Named<DiskIo>{"threads", DiskIo::Threads},
                             Named<DiskIo>{"native", DiskIo::Native},
                             Named<DiskIo>{"io_uring", DiskIo::IoUring}};
constexpr std::array kDetectZeroes = {Named<DetectZeroes>{"off", DetectZeroes::Off},
                                      Named<DetectZeroes>{"on", DetectZeroes::On},
                                      Named<DetectZeroes>{"unmap", DetectZeroes::Unmap}};

constexpr std::array kErrorPolicies = {Named<DiskErrorPolicy>{"report", DiskErrorPolicy::Report},
                                       Named<DiskErrorPolicy>{"ignore", DiskErrorPolicy::Ignore},
                                       Named<DiskErrorPolicy>{"stop", DiskErrorPolicy::Stop},
                                       Named<DiskErrorPolicy>{"enospace", DiskErrorPolicy::EnospaceStop}};

// One disk in the making; the first refusal ends it.
class DiskPlan {
 public:
  DiskPlan(Planning& planning, const Disk& disk) : planning_(planning), disk_(disk) {}
  std::optional<DiskConfig> make();

 private:
  bool refuse(std::string message, std::string remedy);
  bool plan_place();
  bool plan_source();
  bool plan_network_source(const DiskSource& source);
  bool plan_volume();
  void warn_of_format();
  bool plan_secrets(const DiskSource& source);
  void plan_cookies(const DiskSource& source);
  using SecretFile = std::optional<std::string> RunResources::SecretFiles::*;
  bool find_secret(const Secret& secret, SecretFile which, std::optional<std::string>& file);
  bool plan_driver();
  bool plan_extras();
  void plan_serial();
  void plan_error_policies();

  Planning& planning_;
  const Disk& disk_;
  DiskConfig config_;
};

bool DiskPlan::refuse(std::string message, std::string remedy) {
  refuse_device(planning_, disk_, kDiskPath, fmt::format("disk '{}': {}", disk_.target_dev, message),
                std::move(remedy));
  return false;
}

bool DiskPlan::plan_place() {
  const auto bus = disk_.target_bus.value_or("virtio");
  const auto kind = disk_.device.value_or("disk");
  if (kind != "disk" && kind != "cdrom")
    return refuse(fmt::format("device '{}' is not offered", kind), "use device='disk' or 'cdrom'");
  config_.kind = kind == "cdrom" ? DiskKind::Cdrom : DiskKind::Disk;
  if (bus != "virtio" && bus != "scsi")
    return refuse(fmt::format("bus '{}' is not offered: a TD has virtio and virtio-scsi disks", bus),
                  "use bus='virtio' with device='disk'");
  if (bus == "virtio" && kind == "cdrom")
    return refuse("a CD-ROM drive cannot be on bus 'virtio'", "use bus='scsi'");
  if (disk_.model && *disk_.model != "virtio" && *disk_.model != "virtio-non-transitional")
    return refuse(fmt::format("model '{}' is not offered: a TD's devices are virtio 1", *disk_.model),
                  "remove the attribute 'model'");
  config_.bus = bus == "scsi" ? DiskBus::Scsi : DiskBus::VirtioBlk;
  config_.address = pci_address_of(disk_);
  if (const auto* drive = disk_.address ? std::get_if<DriveAddress>(&*disk_.address) : nullptr)
    config_.scsi = {static_cast<std::uint8_t>(drive->controller), static_cast<std::uint8_t>(drive->target),
                    static_cast<std::uint16_t>(drive->unit)};
  return true;
}

std::optional<std::uint16_t> port_number(const std::optional<std::string>& text) {
  if (!text) return 0;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), port);
  return error == std::errc() && end == text->data() + text->size() ? std::optional(port) : std::nullopt;
}

bool DiskPlan::plan_network_source(const DiskSource& source) {
  auto& planned = *config_.source;
  const auto protocol = find_named(kProtocols, *source.protocol);
  if (!protocol)
    return refuse(fmt::format("network protocol '{}' is not offered", *source.protocol),
                  "use nbd, rbd, iscsi, http, https, ftp, ftps, ssh or gluster");
  planned.protocol = *protocol;
  planned.path = source.name.value_or("");
  planned.query = source.query;
  planned.tls = source.tls.value_or(false);
  planned.tls_hostname = source.tls_hostname;
  planned.ceph_configuration = source.configuration;
  planned.ceph_snapshot = source.snapshot;
  if (const auto refusal = plan_protocol_options(source, planned))
    return refuse(refusal->message, refusal->remedy);
  for (const auto& host : source.hosts) {
    const auto port = port_number(host.port);
    if (!port || host.transport == "rdma")
      return refuse("a host's transport is tcp or unix and its port a number of 0 to 65535",
                    "correct its <host>");
    planned.hosts.push_back({host.name.value_or(""), *port, host.socket.value_or("")});
  }
  return true;
}

// What the storage daemon tells of a format it has from the image, which a guest writes: libvirt does not
// ask.
void DiskPlan::warn_of_format() {
  if (disk_.driver.type) return;
  planning_
      .add(Severity::Warning, "disk-volume-format", kDiskPath,
           fmt::format(
               "disk '{}': the format of volume '{}' of pool '{}' is not given; the guest sees its bytes "
               "as they are ('raw')",
               disk_.target_dev, *disk_.source->volume, *disk_.source->pool),
           "write <driver name='qemu' type='raw'/>, or the type that virsh vol-dumpxml tells")
      .line = disk_.line.number;
}

bool DiskPlan::plan_volume() {
  if (disk_.source->mode == "direct")
    return refuse("mode='direct', past the host's own iSCSI session, is not offered",
                  "use mode='host', or a disk of type 'network' and protocol 'iscsi'");
  warn_of_format();
  if (planning_.resources == nullptr) {
    // The check of a definition: no storage daemon is asked.
    config_.source->path = "/";
    return true;
  }
  const auto found = planning_.resources->volumes.find(disk_.target_dev);
  if (found == planning_.resources->volumes.end())
    return refuse(
        fmt::format("volume '{}' of pool '{}' was not found", *disk_.source->volume, *disk_.source->pool),
        "check the pool with virsh pool-info and vol-list, and that the storage daemon runs");
  config_.source = found->second;
  return true;
}

bool DiskPlan::find_secret(const Secret& secret, SecretFile which, std::optional<std::string>& file) {
  if (planning_.resources == nullptr) {
    // The check of a definition: no secret daemon is asked.
    file = "/";
    return true;
  }
  const auto found = planning_.resources->secret_files.find(disk_.target_dev);
  if (found == planning_.resources->secret_files.end() || !(found->second.*which))
    return refuse(fmt::format("secret '{}' was not found, or has no value",
                              secret.uuid ? *secret.uuid : secret.usage.value_or("")),
                  "define it and set its value with virsh secret-define and secret-set-value");
  file = found->second.*which;
  return true;
}

// They stand in the definition, so nobody has to be asked for them; a file keeps them out of command lines
// and logs.
void DiskPlan::plan_cookies(const DiskSource& source) {
  if (!cookie_header(source).value_or(std::nullopt)) return;
  config_.source->cookies_file = "/";
  if (planning_.resources == nullptr) return;
  const auto found = planning_.resources->secret_files.find(disk_.target_dev);
  config_.source->cookies_file =
      found == planning_.resources->secret_files.end() ? std::nullopt : found->second.cookies;
}

bool DiskPlan::plan_secrets(const DiskSource& source) {
  auto& planned = *config_.source;
  const auto& authentication = source.authentication ? source.authentication : disk_.authentication;
  if (authentication) {
    planned.user = authentication->username;
    if (authentication->secret &&
        !find_secret(*authentication->secret, &RunResources::SecretFiles::authentication,
                     planned.secret_file))
      return false;
  }
  plan_cookies(source);
  const auto& encryption = source.encryption ? source.encryption : disk_.encryption;
  if (!encryption) return true;
  if (!encryption->format.starts_with("luks") || encryption->engine == "librbd" ||
      encryption->secrets.size() != 1)
    return refuse("encryption other than LUKS by one secret in this host's storage daemon is not offered",
                  "use format='luks' with one <secret type='passphrase'>");
  return find_secret(encryption->secrets.front(), &RunResources::SecretFiles::encryption,
                     planned.luks_passphrase_file);
}

bool DiskPlan::plan_source() {
  if (!disk_.source) return true;
  const auto& source = *disk_.source;
  config_.source.emplace();
  if (disk_.type == "file") config_.source->path = source.file.value_or("");
  if (disk_.type == "block") {
    config_.source->protocol = DiskProtocol::Block;
    config_.source->path = source.dev.value_or("");
  }
  if (disk_.type == "network" && !plan_network_source(source)) return false;
  if (disk_.type == "volume" && !plan_volume()) return false;
  if (disk_.type != "file" && disk_.type != "block" && disk_.type != "network" && disk_.type != "volume")
    return refuse(fmt::format("type '{}' is not offered", disk_.type),
                  "use type 'file', 'block', 'network' or 'volume'");
  if (disk_.type != "network")
    for (const auto& other : source.others)
      return refuse(fmt::format("<{}> in <source> is not offered", other.element), "remove it");
  return plan_secrets(source);
}

bool DiskPlan::plan_driver() {
  const auto& driver = disk_.driver;
  const auto format = find_named(kFormats, driver.type.value_or("raw"));
  if (!format)
    return refuse(fmt::format("image format '{}' is not offered", *driver.type),
                  "convert the image to raw or qcow2 with qemu-img");
  config_.format = *format;
  config_.cache = find_named(kCaches, driver.cache.value_or("default")).value_or(DiskCache::Writeback);
  config_.io = find_named(kIos, driver.io.value_or("io_uring")).value_or(DiskIo::IoUring);
  config_.discard = driver.discard == "unmap";
  config_.detect_zeroes =
      find_named(kDetectZeroes, driver.detect_zeroes.value_or("off")).value_or(DetectZeroes::Off);
  if (driver.io == "native" && config_.cache != DiskCache::None && config_.cache != DiskCache::Directsync)
    return refuse("io='native' needs cache='none' or cache='directsync'", "set one of these cache modes");
  if (driver.copy_on_read == true) return refuse("copy_on_read is not offered", "remove the attribute");
  constexpr std::uint32_t kLimit = std::numeric_limits<std::uint16_t>::max();
  config_.queues = static_cast<std::uint16_t>(
      std::min(driver.queues.value_or(std::min(planning_.domain.vcpus, std::uint32_t{256})), kLimit));
  config_.event_index = driver.event_idx != false;
  config_.queue_size =
      static_cast<std::uint16_t>(std::min(driver.queue_size.value_or(config_.queue_size), kLimit));
  return true;
}

std::optional<std::uint64_t> wwn_number(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const std::string_view digits = text->starts_with("0x") ? std::string_view(*text).substr(2) : *text;
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

// A policy of writes is one of reads too, unless these have their own; a full image concerns writes alone.
void DiskPlan::plan_error_policies() {
  const auto& driver = disk_.driver;
  if (const auto policy = find_named(kErrorPolicies, driver.error_policy.value_or(""))) {
    config_.on_write_error = *policy;
    if (*policy != DiskErrorPolicy::EnospaceStop) config_.on_read_error = *policy;
  }
  config_.on_read_error =
      find_named(kErrorPolicies, driver.rerror_policy.value_or("")).value_or(config_.on_read_error);
}

// Nova gives volumes their uuid, of which virtio guests see what QEMU shows them.
void DiskPlan::plan_serial() {
  constexpr std::size_t kShown = 20;  // virtio 1.2, 5.2.6: VIRTIO_BLK_T_GET_ID
  config_.serial = disk_.serial.value_or("");
  if (config_.bus != DiskBus::VirtioBlk || config_.serial.size() <= kShown) return;
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(config_.serial[end]) & 0xC0) == 0x80)
    --end;  // within a letter
  config_.serial.resize(end);
  planning_
      .add(Severity::Note, "disk-serial-cut", kDiskPath,
           fmt::format("disk '{}': the guest sees '{}' of its serial: a virtio disk's has {} bytes",
                       disk_.target_dev, config_.serial, kShown))
      .line = disk_.line.number;
}

bool DiskPlan::plan_extras() {
  config_.id = disk_.alias.value_or(disk_.target_dev);
  config_.target = disk_.target_dev;
  config_.read_only = disk_.readonly;
  config_.shareable = disk_.shareable;
  plan_serial();
  plan_error_policies();
  config_.wwn = wwn_number(disk_.wwn);
  config_.logical_block_size = disk_.logical_block_size.value_or(config_.logical_block_size);
  config_.physical_block_size = disk_.physical_block_size.value_or(0);
  config_.boot_index = disk_.boot_order;
  if (disk_.transient)
    return refuse("<transient/> is not offered", "remove it, or start from a copy of the image");
  if (disk_.vendor || disk_.product) return refuse("<vendor> and <product> are not offered", "remove them");
  return true;
}

std::optional<DiskConfig> DiskPlan::make() {
  if (!plan_place() || !plan_source() || !plan_driver() || !plan_extras()) return std::nullopt;
  config_.limits = disk_limits(disk_.iotune);
  return config_;
}

bool has_boot_order(const Devices& devices) {
  const auto ordered = [](const DeviceInfo& device) { return device.boot_order.has_value(); };
  return std::ranges::any_of(devices.disks, ordered) || std::ranges::any_of(devices.interfaces, ordered);
}

DiskRate rate(const IoTune::Limit& per_second, const IoTune::Limit& maximum, const IoTune::Limit& length) {
  return {per_second.value_or(0), maximum.value_or(0), maximum.value_or(0) == 0 ? 0 : length.value_or(0)};
}

bool is_booted_as(const DiskConfig& disk, std::string_view device) {
  return device == (disk.kind == DiskKind::Cdrom ? "cdrom" : "hd");
}

}  // namespace

DiskLimits disk_limits(const IoTune& t) {
  return {.total_bytes = rate(t.total_bytes_sec, t.total_bytes_sec_max, t.total_bytes_sec_max_length),
          .read_bytes = rate(t.read_bytes_sec, t.read_bytes_sec_max, t.read_bytes_sec_max_length),
          .write_bytes = rate(t.write_bytes_sec, t.write_bytes_sec_max, t.write_bytes_sec_max_length),
          .total_requests = rate(t.total_iops_sec, t.total_iops_sec_max, t.total_iops_sec_max_length),
          .read_requests = rate(t.read_iops_sec, t.read_iops_sec_max, t.read_iops_sec_max_length),
          .write_requests = rate(t.write_iops_sec, t.write_iops_sec_max, t.write_iops_sec_max_length),
          .request_unit_bytes = t.size_iops_sec.value_or(0),
          .group = t.group_name.value_or("")};
}

void plan_disks(Planning& planning) {
  for (const auto& disk : planning.domain.devices.disks)
    if (auto config = DiskPlan(planning, disk).make())
      planning.plan.config.devices.disks.push_back(*std::move(config));
}

// `<boot dev=..>` of the domain: the first disk of that kind or the first interface, as libvirt's QEMU driver
// does.
void plan_boot_order(Planning& planning) {
  if (has_boot_order(planning.domain.devices)) return;
  auto& devices = planning.plan.config.devices;
  std::uint32_t next = 1;
  for (const auto& device : planning.domain.os.boot_devices) {
    const auto disk = std::ranges::find_if(
        devices.disks, [&](const DiskConfig& candidate) { return is_booted_as(candidate, device); });
    if (disk != devices.disks.end() && !disk->boot_index) disk->boot_index = next++;
    if (device == "network" && !devices.interfaces.empty() && !devices.interfaces.front().boot_index)
      devices.interfaces.front().boot_index = next++;
  }
}

}  // namespace virttdx::domain_xml
