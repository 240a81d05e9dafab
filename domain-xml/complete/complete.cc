// SPDX-License-Identifier: GPL-2.0-or-later
// What is filled in when a domain is defined, so that its XML says in full what will run.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "complete/checks.h"
#include "complete/steps.h"
#include "cpu/numa_cells.h"
#include "domain_xml/domain.h"

namespace virttdx::domain_xml {
namespace {

bool is_serial_console(const CharacterDevice& console) { return console.target_type != "virtio"; }

Result<> refuse_what_is_not_offered(const Domain& domain, const DefinitionDefaults& defaults) {
  if (defaults.require_launch_security && !domain.launch_security)
    return fail(Error::Code::ConfigUnsupported,
                "domain '{}' has no <launchSecurity type='tdx'>, which this host's virttdxd.conf requires "
                "(require_launch_security); add it, or use qemu:///system for an ordinary guest",
                domain.name);
  const auto serial_consoles = std::ranges::count_if(domain.devices.consoles, is_serial_console);
  if (serial_consoles > 1)
    return fail(Error::Code::ConfigUnsupported,
                "domain '{}' has {} consoles on serial ports: one is offered, the alias of the first serial "
                "port; use <serial>, or <target type='virtio'/>, for more",
                domain.name, serial_consoles);
  return {};
}

bool has_port(const Devices& devices, std::uint32_t port) {
  return std::ranges::count(devices.serials, port, &CharacterDevice::target_port) != 0;
}

// libvirt's rule: the first console and the first serial port are one device, whichever is written.
void pair_serial_and_console(Devices& devices) {
  auto& consoles = devices.consoles;
  if (devices.serials.empty() && !consoles.empty() && is_serial_console(consoles.front())) {
    devices.serials.push_back(consoles.front());
    devices.serials.front().target_type.reset();
  }
  std::uint32_t port = 0;
  for (auto& serial : devices.serials) {
    if (!serial.target_type) serial.target_type = "isa-serial";
    if (!serial.target_model) serial.target_model = "isa-serial";
    while (!serial.target_port && has_port(devices, port)) ++port;
    if (!serial.target_port) serial.target_port = port;
  }
  for (std::uint32_t number = 0; number < consoles.size(); ++number) consoles[number].target_port = number;
  if (devices.serials.empty() || (!consoles.empty() && !is_serial_console(consoles.front()))) return;
  CharacterDevice console = devices.serials.front();
  console.target_type = "serial";
  console.target_model.reset();
  if (consoles.empty()) consoles.emplace_back();
  consoles.front() = std::move(console);
}

bool has_boot_order(const Devices& devices) {
  const auto ordered = [](const DeviceInfo& device) { return device.boot_order.has_value(); };
  return std::ranges::any_of(devices.disks, ordered) || std::ranges::any_of(devices.interfaces, ordered);
}

/// What of machine and CPU was filled in.
using Added = std::vector<std::string>;

void complete_os(Os& os, Added& added) {
  if (!os.arch) os.arch = "x86_64";
  if (os.machine) return;
  os.machine = "q35";
  added.emplace_back("machine 'q35'");
}

void note(std::vector<Finding>& changes, const char* id, const char* path, std::string message,
          const char* remedy = "") {
  changes.push_back({Severity::Note, id, path, 0, {}, std::move(message), remedy});
}

// What makes any definition one of a TD.
void complete_trust_domain(Domain& domain, std::vector<Finding>& changes) {
  if (!domain.launch_security) {
    domain.launch_security.emplace().policy = TdConfig().attributes;
    note(changes, "launch-security-added", "/domain/launchSecurity",
         "every domain of this driver is a trust domain: <launchSecurity type='tdx'> with policy 0x10000000 "
         "was added",
         "write the element to choose a policy");
  }
  if (!domain.os.firmware && !domain.os.loader) {
    domain.os.firmware = "efi";
    note(changes, "firmware-added", "/domain/os",
         "a trust domain needs UEFI firmware made for TDX: firmware='efi' was added, which takes the host's");
  }
}

void complete_features(std::optional<Features>& features, Added& added) {
  if (!features) {
    features.emplace();
    features->acpi = features->apic = true;
    added.emplace_back("ACPI and APIC");
  }
  if (features->ioapic_driver) return;
  features->ioapic_driver = "qemu";
  added.emplace_back("the split interrupt controller (<ioapic driver='qemu'/>)");
}

// The reader takes it for its present name, under which it is written from now on.
void note_older_name(const Domain& domain, std::vector<Finding>& changes) {
  constexpr auto kPath = "/domain/launchSecurity/quoteGenerationSocket";
  if (!domain.lines.first.contains(kPath)) return;
  changes.push_back({Severity::Warning,
                     "quote-service-older-name",
                     kPath,
                     0,
                     {},
                     "<quoteGenerationSocket> is taken for <quoteGenerationService>, as libvirt calls it",
                     "write <quoteGenerationService>"});
}

void complete_cpu(std::optional<Cpu>& cpu, Added& added) {
  if (!cpu) cpu.emplace();
  // A model alone is of mode custom: as it was meant.
  if (!cpu->mode && !cpu->model) added.emplace_back("CPU mode 'host-passthrough'");
  if (!cpu->mode) cpu->mode = cpu->model ? "custom" : "host-passthrough";
  const bool named = *cpu->mode == "custom" || *cpu->mode == "host-model";
  if (!cpu->check) cpu->check = named ? "partial" : "none";
  if (!cpu->migratable && (cpu->mode == "host-passthrough" || cpu->mode == "maximum"))
    cpu->migratable = false;
}

// As libvirt: 0 says nothing, nor does an empty text.
void leave_defaults(Domain& domain) {
  for (const auto text : {&Domain::title, &Domain::description})
    if ((domain.*text).value_or("-").empty()) (domain.*text).reset();
  if (!domain.tuning.cpu) return;
  CpuTune& tune = *domain.tuning.cpu;
  for (const auto period : {&CpuTune::period, &CpuTune::global_period, &CpuTune::emulator_period})
    if (tune.*period == 0U) (tune.*period).reset();
  for (const auto quota : {&CpuTune::quota, &CpuTune::global_quota, &CpuTune::emulator_quota})
    if (tune.*quota == 0) (tune.*quota).reset();
  if (tune == CpuTune{}) domain.tuning.cpu.reset();
}

// As libvirt: there never is more than there can be.
void complete_memory(Domain& domain) {
  const auto current = domain.current_memory_kib.value_or(0);
  if (current == 0 || current > domain.memory_kib) domain.current_memory_kib = domain.memory_kib;
}

// As libvirt: UTC or local time moved by seconds is a clock of its own kind.
void complete_clock(Clock& clock) {
  if (clock.adjustment && !clock.adjustment->reset && clock.offset != ClockOffset::Variable)
    clock.basis = std::exchange(clock.offset, ClockOffset::Variable);
  if (clock.offset != ClockOffset::Variable) return;
  if (!clock.adjustment) clock.adjustment.emplace();
  if (!clock.basis) clock.basis = ClockOffset::Utc;
}

// The guest's machine and CPU; the rest of what it gets is as libvirt's drivers fill it in.
void complete_machine(Domain& domain, std::vector<Finding>& changes) {
  Added added;
  complete_os(domain.os, added);
  complete_features(domain.features, added);
  complete_cpu(domain.cpu, added);
  if (!added.empty())
    note(changes, "machine-completed", "/domain",
         fmt::format("completed for a trust domain: {}", fmt::join(added, ", ")));
}

}  // namespace

Result<Domain> complete_definition(Domain domain, const DefinitionDefaults& defaults,
                                   std::vector<Finding>* changes) {
  std::vector<Finding> found;
  TRY(refuse_what_is_not_offered(domain, defaults));
  TRY(check_definition(domain));
  if (domain.uuid.empty()) domain.uuid = new_uuid();
  TRY(complete_numa(domain));
  complete_memory(domain);
  leave_defaults(domain);
  if (!domain.vcpu_placement) domain.vcpu_placement = "static";
  complete_trust_domain(domain, found);
  complete_machine(domain, found);
  note_older_name(domain, found);
  if (!domain.clock) domain.clock.emplace();
  complete_clock(*domain.clock);
  if (!domain.on_poweroff) domain.on_poweroff = LifecycleAction::Destroy;
  if (!domain.on_reboot) domain.on_reboot = LifecycleAction::Restart;
  if (!domain.on_crash) domain.on_crash = CrashAction::Destroy;
  if (!domain.devices.emulator) domain.devices.emulator = defaults.emulator;
  pair_serial_and_console(domain.devices);
  if (domain.os.boot_devices.empty() && !has_boot_order(domain.devices)) domain.os.boot_devices = {"hd"};
  complete_devices(domain.devices, found);
  TRY(assign_drive_addresses(domain.devices));
  TRY(assign_virtio_serial_ports(domain.devices));
  TRY(assign_pci_addresses(domain.devices));
  for (auto& change : found)
    if (change.line == 0) change.line = domain.lines.of(change.xml_path);
  if (changes != nullptr) std::ranges::move(found, std::back_inserter(*changes));
  return domain;
}

std::string new_mac_address() {
  std::array<std::uint8_t, 3> bytes{};
  CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return fmt::format("52:54:00:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2]);
}

std::string new_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

}  // namespace virttdx::domain_xml
