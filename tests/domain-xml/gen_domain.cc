// SPDX-License-Identifier: GPL-2.0-or-later
#include "gen_domain.h"

#include <algorithm>

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

CharacterDevice character_device(const std::string& target) {
  CharacterDevice value;
  value.type = *rc::gen::element<std::string>("pty", "file", "null");
  if (value.type == "file") value.append = maybe_flag();
  if (value.type == "file" || (value.type == "pty" && *rc::gen::arbitrary<bool>()))
    value.source_path = path();
  value.log_file = maybe_made(path);
  value.log_append = maybe_flag();
  value.target_type = maybe_word({target});
  if (target == "isa-serial") value.target_model = maybe_word({"isa-serial"});
  value.target_port = maybe(rc::gen::inRange<std::uint32_t>(0, 5));
  value.alias = maybe_made(name);
  return value;
}

Devices devices() {
  Devices value;
  value.emulator = maybe_made(path);
  for (auto n = *rc::gen::inRange(0, 4); n > 0; --n) value.serials.push_back(character_device("isa-serial"));
  for (auto n = *rc::gen::inRange(0, 3); n > 0; --n) value.consoles.push_back(character_device("serial"));
  // In the order in which the reader sorts them.
  const std::vector<InertDevice> inert = {
      {"controller", "<controller type='pci' index='0' model='pcie-root'/>\n"},
      {"input", "<input type='keyboard' bus='ps2'/>\n"},
      {"video", "<video>\n  <model type='none'/>\n</video>\n"},
      {"memballoon", "<memballoon model='none'/>\n"},
  };
  for (const auto& device : inert)
    if (*rc::gen::arbitrary<bool>()) value.inert.push_back(device);
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
  value.os = os();
  value.features = maybe_made(features);
  value.cpu = maybe_made(cpu);
  value.clock = maybe_made(clock);
  value.on_poweroff = maybe(rc::gen::element(LifecycleAction::Destroy, LifecycleAction::RenameRestart));
  value.on_reboot = maybe(rc::gen::element(LifecycleAction::Restart, LifecycleAction::Preserve));
  value.on_crash = maybe(rc::gen::element(CrashAction::CoredumpDestroy, CrashAction::CoredumpRestart));
  value.devices = devices();
  value.launch_security = maybe_made(launch_security);
  return value;
}

}  // namespace

rc::Gen<Domain> any_domain() { return rc::gen::exec(domain); }

}  // namespace virttdx::domain_xml::test
