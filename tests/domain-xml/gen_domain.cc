// SPDX-License-Identifier: GPL-2.0-or-later
#include "gen_domain.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace virttdx::domain_xml::test {
namespace {

using rc::Gen;

template <typename T>
std::optional<T> maybe(Gen<T> gen) {
  return *rc::gen::arbitrary<bool>() ? std::optional<T>(*std::move(gen)) : std::nullopt;
}

std::optional<bool> maybe_flag() { return maybe(rc::gen::arbitrary<bool>()); }

std::optional<std::string> maybe_word(std::initializer_list<std::string> words) {
  return maybe(rc::gen::elementOf(std::vector<std::string>(words)));
}

std::uint32_t count(std::uint32_t maximum) { return *rc::gen::inRange<std::uint32_t>(1, maximum + 1); }

// With everything that XML has a spelling for, and not blank: blank text reads as none.
std::string text() {
  const auto pieces =
      *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
          "a", "Z", " ", "<", "&", ">", "'", "\"", "\n", "\t", "]]>", "\xC3\xA4", "\xE2\x82\xAC"}));
  std::string joined = "x";
  for (const auto& piece : pieces) joined += piece;
  return joined;
}

std::string path() { return "/" + text(); }
std::string name() {
  auto value = text();
  std::erase_if(value, [](char c) { return c == '\n'; });
  return value;
}
std::string digest() {
  std::string value;
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int i = 0; i < 64; ++i) value += *rc::gen::elementOf(alphabet);
  return value;
}

template <typename Make>
auto maybe_made(Make make) {
  return *rc::gen::arbitrary<bool>() ? std::optional(make()) : std::nullopt;
}

Os os() {
  Os value;
  value.arch = maybe_word({"x86_64"});
  value.machine = maybe_made(name);
  value.firmware = maybe_word({"efi"});
  if (*rc::gen::arbitrary<bool>())
    value.loader = Loader{*rc::gen::arbitrary<bool>() ? path() : "",
                          maybe_word({"rom", "pflash"}),
                          maybe_flag(),
                          maybe_flag(),
                          maybe_flag(),
                          maybe_word({"raw", "qcow2"})};
  if (*rc::gen::arbitrary<bool>()) value.nvram = Nvram{path(), maybe_made(path)};
  value.boot_devices = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"fd", "hd", "cdrom", "network"}));
  value.kernel = maybe_made(path);
  value.initrd = maybe_made(path);
  value.cmdline = maybe_made(text);
  value.boot_menu = maybe_flag();
  value.boot_menu_timeout = maybe(rc::gen::inRange<std::uint32_t>(0, 65536));
  value.bios_serial = maybe_flag();
  value.bios_reboot_timeout = maybe(rc::gen::inRange<std::int64_t>(-1, 65536));
  value.smbios_mode = maybe_word({"emulate", "host", "sysinfo"});
  return value;
}

Features features() {
  Features value;
  value.acpi = *rc::gen::arbitrary<bool>();
  value.apic = *rc::gen::arbitrary<bool>();
  value.pae = *rc::gen::arbitrary<bool>();
  value.smm = maybe_flag();
  value.pmu = maybe_flag();
  value.ioapic_driver = maybe_word({"kvm", "qemu"});
  if (*rc::gen::arbitrary<bool>()) value.others = {{"vmcoreinfo", "<vmcoreinfo state='on'/>\n"}};
  return value;
}

Cpu cpu() {
  Cpu value;
  value.mode = maybe_word({"custom", "host-model", "host-passthrough", "maximum"});
  value.match = maybe_word({"minimum", "exact", "strict"});
  value.check = maybe_word({"none", "partial", "full"});
  value.migratable = maybe_flag();
  if (*rc::gen::arbitrary<bool>()) {
    value.model = text();
    value.fallback = maybe_word({"allow", "forbid"});
    value.vendor_id = maybe_made(name);
  }
  value.vendor = maybe_made(text);
  value.maxphysaddr_mode = maybe_word({"emulate", "passthrough"});
  value.maxphysaddr_bits = maybe(rc::gen::inRange<std::uint32_t>(1, 64));
  if (*rc::gen::arbitrary<bool>()) value.topology = CpuTopology{count(8), count(4), count(64), count(2)};
  const auto policies = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
  for (std::size_t i = 0; i < policies.size(); ++i)
    value.features.push_back({"feature" + std::to_string(i), static_cast<CpuFeaturePolicy>(policies[i]), 0});
  return value;
}

Clock clock() {
  Clock value;
  value.offset = static_cast<ClockOffset>(*rc::gen::inRange(0, 3));
  if (value.offset == ClockOffset::Variable) {
    value.adjustment_seconds = maybe(rc::gen::arbitrary<std::int64_t>());
    value.basis = maybe(rc::gen::element(ClockOffset::Utc, ClockOffset::LocalTime));
  }
  const auto timers = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"pit", "rtc", "hpet", "tsc", "kvmclock"}));
  for (const auto& name : timers) {
    auto& timer = value.timers.emplace_back();
    timer.name = name;
    timer.present = maybe_flag();
    timer.tickpolicy = maybe_word({"delay", "catchup", "merge", "discard"});
  }
  if (*rc::gen::arbitrary<bool>()) {
    auto& tsc = value.timers.emplace_back();
    tsc.name = "tsc";
    tsc.frequency_hz = *rc::gen::arbitrary<std::uint64_t>();
    tsc.mode = maybe_word({"auto", "native", "emulate", "paravirt", "smpsafe"});
  }
  return value;
}

std::optional<std::uint32_t> maybe_number(std::uint32_t minimum, std::uint32_t maximum) {
  return maybe(rc::gen::inRange<std::uint32_t>(minimum, maximum));
}
std::uint32_t number(std::uint32_t maximum) { return *rc::gen::inRange<std::uint32_t>(0, maximum); }

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

// In the order in which the reader sorts them.
std::vector<OtherElement> some_of(const std::vector<OtherElement>& all) {
  std::vector<OtherElement> chosen;
  for (const auto& other : all)
    if (*rc::gen::arbitrary<bool>()) chosen.push_back(other);
  return chosen;
}

Devices devices() {
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

LaunchSecurity launch_security() {
  LaunchSecurity value;
  value.policy = maybe(rc::gen::arbitrary<std::uint64_t>());
  value.mr_config_id = maybe_made(digest);
  value.mr_owner = maybe_made(digest);
  value.mr_owner_config = maybe_made(digest);
  if (*rc::gen::arbitrary<bool>()) value.quote_generation_service.emplace().path = maybe_made(path);
  return value;
}

CpuTune cpu_tune() {
  CpuTune value;
  value.shares = maybe(rc::gen::inRange<std::uint64_t>(0, 10000));
  value.quota = maybe(rc::gen::inRange<std::int64_t>(-1, 10000));
  value.emulator_cpuset = maybe_word({"0", "1-3,7"});
  if (*rc::gen::arbitrary<bool>()) value.vcpu_pins = {{0, "1"}, {count(100), "0-3"}};
  return value;
}
MemoryTune memory_tune() {
  MemoryTune value;
  value.hard_limit = maybe(rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 40));
  value.swap_hard_limit = maybe(rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 40));
  return value;
}

Domain domain() {
  Domain value;
  value.id = maybe(rc::gen::inRange(1, 1000));
  value.type = "kvm";
  value.name = name();
  if (*rc::gen::arbitrary<bool>()) value.uuid = new_uuid();
  value.title = maybe_made(text);
  value.description = maybe_made(text);
  if (*rc::gen::arbitrary<bool>())
    value.metadata = {{"urn:a", "<a:note xmlns:a='urn:a'>x &lt; y</a:note>\n"}};
  value.memory_kib = *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << 40);
  value.current_memory_kib = maybe(rc::gen::inRange<std::uint64_t>(0, value.memory_kib));
  value.vcpus = count(4096);
  value.current_vcpus = maybe(rc::gen::inRange<std::uint32_t>(1, value.vcpus + 1));
  value.vcpu_placement = maybe_word({"static", "auto"});
  value.vcpu_cpuset = maybe_word({"0", "1-3,7"});
  value.tuning.cpu = maybe_made(cpu_tune);
  value.tuning.memory = maybe_made(memory_tune);
  value.os = os();
  value.features = maybe_made(features);
  value.cpu = maybe_made(cpu);
  value.clock = maybe_made(clock);
  value.on_poweroff = maybe(rc::gen::element(LifecycleAction::Destroy, LifecycleAction::RenameRestart));
  value.on_reboot = maybe(rc::gen::element(LifecycleAction::Restart, LifecycleAction::Preserve));
  value.on_crash = maybe(rc::gen::element(CrashAction::CoredumpDestroy, CrashAction::CoredumpRestart));
  value.devices = devices();
  value.launch_security = maybe_made(launch_security);
  value.others = some_of({
      {"genid", "<genid>e9392370-2917-565e-692b-d057f46512d6</genid>\n"},
      {"memoryBacking", "<memoryBacking>\n  <locked/>\n</memoryBacking>\n"},
      {"iothreads", "<iothreads>2</iothreads>\n"},
      {"sysinfo",
       "<sysinfo type='smbios'>\n  <system>\n    <entry name='serial'>S</entry>\n  </system>\n</sysinfo>\n"},
      {"pm", "<pm>\n  <suspend-to-mem enabled='no'/>\n</pm>\n"},
      {"seclabel", "<seclabel type='none' model='dac'/>\n"},
  });
  return value;
}

}  // namespace

rc::Gen<Domain> any_domain() { return rc::gen::exec(domain); }

}  // namespace virttdx::domain_xml::test
