// SPDX-License-Identifier: GPL-2.0-or-later
// Host, memory, vCPUs, machine type, features, clock and life cycle.
#include <array>
#include <type_traits>

#include "domain_xml/live_change.h"
#include "domain_xml/machine_name.h"
#include "plan/planning.h"
#include "vmm_backend/memory_limits.h"

namespace virttdx::domain_xml {
namespace {

// What remains of a TD is unreadable: there is no core to dump. A crashed one can be kept, one that has
// powered off or restarts cannot.
template <typename Action>
Result<ResetAction> reset_action(std::string_view element, Action action) {
  if (action == Action::Destroy) return ResetAction::Stop;
  if (action == Action::Restart) return ResetAction::Recreate;
  if (std::is_same_v<Action, CrashAction> && action == Action::Preserve) return ResetAction::Preserve;
  static constexpr std::array<std::string_view, 6> kNames = {
      "destroy", "restart", "preserve", "rename-restart", "coredump-destroy", "coredump-restart"};
  return fail(Error::Code::Unsupported, "{} '{}' is not offered for a TD", element,
              kNames[static_cast<std::size_t>(action)]);
}

Result<ResetAction> on_poweroff(const Domain& domain) {
  return reset_action("on_poweroff", domain.on_poweroff.value_or(LifecycleAction::Destroy));
}
Result<ResetAction> on_reboot(const Domain& domain) {
  return reset_action("on_reboot", domain.on_reboot.value_or(LifecycleAction::Restart));
}
Result<ResetAction> on_crash(const Domain& domain) {
  return reset_action("on_crash", domain.on_crash.value_or(CrashAction::Destroy));
}

void take_action(Planning& planning, std::string_view path, const Result<ResetAction>& found,
                 ResetAction& action) {
  if (found)
    action = *found;
  else
    planning.error(
        "lifecycle-action-not-offered", std::string(path), found.error().message(),
        path.ends_with("on_crash") ? "use destroy, restart or preserve" : "use destroy or restart");
}

// Of a host as it is now, or was when it was recorded.
void check_key_ids(Planning& planning) {
  const auto& host = planning.host;
  const auto used = host.key_ids_used.value_or(0);
  if (!host.key_ids || used < *host.key_ids) return;
  planning.error(
      "key-ids-none-free", {},
      fmt::format("this host has no private key id left for another TD, each TD holds one: {} of {} "
                  "key ids are in use",
                  used, *host.key_ids),
      "end another TD, or give TDX more key ids in the firmware's setup (TME-MT/TDX key split)");
}

}  // namespace

std::optional<std::string> canonical_machine(std::string_view name) {
  if (name == "q35") return std::string(kCanonicalMachine);
  if (name.starts_with("pc-q35-")) return std::string(name);
  return std::nullopt;
}

void plan_host(Planning& planning) {
  const auto& host = planning.host;
  if (!host.tdx_supported)
    planning.error("host-without-tdx", {},
                   fmt::format("this host runs no TDs: {}", host.tdx_unsupported_reason),
                   "use a host with TDX; 'virt-tdx host' tells what is missing");
  else
    check_key_ids(planning);
  if (host.kind == HostKind::Soft)
    planning.add(Severity::Warning, "software-tdx-host", {},
                 "the TD runs on the software TDX host: everything is emulated, nothing is protected",
                 "use it for development and tests only");
}

void plan_memory(Planning& planning) {
  const auto& domain = planning.domain;
  auto& bytes = planning.plan.config.memory_bytes;
  if (domain.memory_kib > kRamMaximum / 1024 || domain.memory_kib < kRamMinimum / 1024) {
    planning.error("memory-size", "/domain/memory",
                   fmt::format("memory of {} KiB is outside what a TD can have", domain.memory_kib),
                   fmt::format("use {}", kRamLimits));
    return;
  }
  bytes = (domain.memory_kib * 1024 + kMemoryUnit - 1) / kMemoryUnit * kMemoryUnit;
  if (bytes != domain.memory_kib * 1024)
    planning.add(Severity::Note, "memory-rounded", "/domain/memory",
                 fmt::format("memory of {} KiB is rounded up to {} KiB: TD memory comes in units of 2 MiB",
                             domain.memory_kib, bytes / 1024));
  if (domain.current_memory_kib.value_or(domain.memory_kib) != domain.memory_kib)
    planning.error(
        "memory-balloon", "/domain/currentMemory",
        fmt::format("currentMemory of {} KiB differs from memory of {} KiB: a TD has no memory balloon",
                    *domain.current_memory_kib, domain.memory_kib),
        "make both equal, or remove <currentMemory>");
}

void plan_vcpus(Planning& planning) {
  const auto& domain = planning.domain;
  planning.plan.config.vcpu_count = domain.vcpus;
  if (domain.vcpus > planning.host.max_vcpus)
    planning.error("vcpu-count", "/domain/vcpu",
                   fmt::format("{} vCPUs are more than a TD can have on this host", domain.vcpus),
                   fmt::format("use at most {}", planning.host.max_vcpus));
  if (domain.current_vcpus.value_or(domain.vcpus) != domain.vcpus)
    planning.error(
        "vcpu-hotplug", "/domain/vcpu",
        fmt::format("current='{}' of {} vCPUs: vCPUs of a TD cannot be plugged in later, all are created "
                    "before its measurement is final",
                    *domain.current_vcpus, domain.vcpus),
        "remove the attribute 'current'");
  if (domain.vcpu_placement == "auto")
    planning.add(Severity::Warning, "vcpu-placement", "/domain/vcpu",
                 "placement='auto' has no effect: vCPUs are placed by the kernel", "use placement='static'");
}

void plan_os(Planning& planning) {
  const auto machine = planning.domain.os.machine.value_or("q35");
  if (!canonical_machine(machine))
    planning.error("machine-not-q35", "/domain/os/type",
                   fmt::format("machine '{}' is not offered: a TD needs a Q35 machine", machine),
                   "use machine='q35'");
}

void plan_features(Planning& planning) {
  const auto features = planning.domain.features.value_or(Features());
  if (!features.acpi)
    planning.add(Severity::Warning, "acpi-always-present", "/domain/features/acpi",
                 "UEFI firmware needs ACPI: the machine has it all the same", "add <acpi/> to <features>");
  if (features.smm == true)
    planning.error("smm-in-td", "/domain/features/smm", "system management mode is on, but TDX has none",
                   "remove <smm>, or write state='off'");
  if (features.ioapic_driver == "kvm")
    planning.error(
        "ioapic-in-kernel", "/domain/features/ioapic",
        "ioapic driver='kvm' is not possible: KVM runs a TD with a split interrupt controller only",
        "use driver='qemu', or remove <ioapic>");
}

void plan_actions(Planning& planning) {
  auto& config = planning.plan.config;
  take_action(planning, "/domain/on_poweroff", on_poweroff(planning.domain), config.on_power_off);
  take_action(planning, "/domain/on_reboot", on_reboot(planning.domain), config.on_reset);
  take_action(planning, "/domain/on_crash", on_crash(planning.domain), config.on_crash);
}

Result<LifecycleActions> lifecycle_actions(const Domain& domain) {
  return LifecycleActions{TRY(on_poweroff(domain)), TRY(on_reboot(domain)), TRY(on_crash(domain))};
}

}  // namespace virttdx::domain_xml
