// SPDX-License-Identifier: GPL-2.0-or-later
// What is filled in when a domain is defined, so that its XML says in full what will run.
#include <sys/random.h>

#include <algorithm>
#include <array>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {
namespace {

Result<> refuse_what_is_no_trust_domain(const Domain& domain) {
  if (!domain.launch_security)
    return fail(
        Error::Code::ConfigUnsupported,
        "domain '{}' has no <launchSecurity type='tdx'>: this driver runs trust domains only; add it, or use "
        "qemu:///system for an ordinary guest",
        domain.name);
  if (domain.devices.consoles.size() > 1)
    return fail(Error::Code::ConfigUnsupported,
                "domain '{}' has {} consoles: one is offered, the alias of the first serial port; use "
                "<serial> for more",
                domain.name, domain.devices.consoles.size());
  return {};
}

bool has_port(const Devices& devices, std::uint32_t port) {
  return std::ranges::count(devices.serials, port, &CharacterDevice::target_port) != 0;
}

// libvirt's rule: the first console and the first serial port are one device, whichever is written.
void pair_serial_and_console(Devices& devices) {
  if (devices.serials.empty() && !devices.consoles.empty()) {
    devices.serials.push_back(devices.consoles.front());
    devices.serials.front().target_type.reset();
  }
  std::uint32_t port = 0;
  for (auto& serial : devices.serials) {
    if (!serial.target_type) serial.target_type = "isa-serial";
    if (!serial.target_model) serial.target_model = "isa-serial";
    while (!serial.target_port && has_port(devices, port)) ++port;
    if (!serial.target_port) serial.target_port = port;
  }
  if (devices.serials.empty()) return;
  CharacterDevice console = devices.serials.front();
  console.target_type = "serial";
  console.target_model.reset();
  devices.consoles = {std::move(console)};
}

void complete_os(Os& os) {
  if (!os.arch) os.arch = "x86_64";
  if (!os.machine) os.machine = "q35";
}

void complete_cpu(std::optional<Cpu>& cpu) {
  if (!cpu) cpu.emplace();
  if (!cpu->mode) cpu->mode = cpu->model ? "custom" : "host-passthrough";
  const bool named = *cpu->mode == "custom" || *cpu->mode == "host-model";
  if (!cpu->check) cpu->check = named ? "partial" : "none";
  if (!cpu->migratable && (cpu->mode == "host-passthrough" || cpu->mode == "maximum"))
    cpu->migratable = false;
}

}  // namespace

Result<Domain> complete_definition(Domain domain, const DefinitionDefaults& defaults) {
  TRY(refuse_what_is_no_trust_domain(domain));
  if (domain.uuid.empty()) domain.uuid = new_uuid();
  if (!domain.current_memory_kib) domain.current_memory_kib = domain.memory_kib;
  if (!domain.vcpu_placement) domain.vcpu_placement = "static";
  complete_os(domain.os);
  complete_cpu(domain.cpu);
  if (!domain.clock) domain.clock.emplace();
  if (!domain.on_poweroff) domain.on_poweroff = LifecycleAction::Destroy;
  if (!domain.on_reboot) domain.on_reboot = LifecycleAction::Restart;
  if (!domain.on_crash) domain.on_crash = CrashAction::Destroy;
  if (!domain.devices.emulator) domain.devices.emulator = defaults.emulator;
  pair_serial_and_console(domain.devices);
  return domain;
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
