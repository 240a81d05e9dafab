// SPDX-License-Identifier: GPL-2.0-or-later
#include "gen_domain.h"

#include <utility>

#include "gen_devices.h"
#include "gen_values.h"

namespace virttdx::domain_xml::test {
namespace {

Os os() {
  Os value;
  value.arch = maybe_word({"x86_64"});
  value.machine = maybe_made(name);
  value.firmware = maybe_word({"efi"});
  for (const auto* name : {"enrolled-keys", "secure-boot"})
    if (*rc::gen::arbitrary<bool>()) value.firmware_features.push_back({name, *rc::gen::arbitrary<bool>()});
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
  value.offset = static_cast<ClockOffset>(*rc::gen::inRange(0, 5));
  if (value.offset == ClockOffset::Variable)
    value.basis = maybe(rc::gen::element(ClockOffset::Utc, ClockOffset::LocalTime));
  if (value.offset == ClockOffset::Timezone)
    value.timezone = text();
  else if (value.offset == ClockOffset::Absolute)
    value.start_seconds = *rc::gen::arbitrary<std::uint64_t>();
  else if (*rc::gen::arbitrary<bool>())
    value.adjustment = value.offset != ClockOffset::Variable && *rc::gen::arbitrary<bool>()
                           ? ClockAdjustment{.reset = true}
                           : ClockAdjustment{.seconds = *rc::gen::arbitrary<std::int64_t>()};
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

NumaTune numa_tune() {
  NumaTune value;
  value.mode = maybe_word({"strict", "preferred"});
  value.nodeset = maybe_word({"0", "1-3,7"});
  if (*rc::gen::arbitrary<bool>()) value.cells = {{0, "interleave", "0"}, {1 + count(100), {}, "0-1"}};
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
  if (value.current_vcpus == value.vcpus) value.current_vcpus.reset();
  value.vcpu_placement = maybe_word({"static", "auto"});
  value.vcpu_cpuset = maybe_word({"0", "1-3,7"});
  value.tuning.cpu = maybe_made(cpu_tune);
  value.tuning.memory = maybe_made(memory_tune);
  value.tuning.numa = maybe_made(numa_tune);
  value.os = os();
  value.features = maybe_made(features);
  value.cpu = maybe_made(cpu);
  value.clock = maybe_made(clock);
  value.on_poweroff = maybe(rc::gen::element(LifecycleAction::Destroy, LifecycleAction::RenameRestart));
  value.on_reboot = maybe(rc::gen::element(LifecycleAction::Restart, LifecycleAction::Preserve));
  value.on_crash = maybe(rc::gen::element(CrashAction::CoredumpDestroy, CrashAction::CoredumpRestart));
  value.devices = any_devices();
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
