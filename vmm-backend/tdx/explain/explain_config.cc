// SPDX-License-Identifier: GPL-2.0-or-later
// A failure explained with the configuration at hand.
#include <algorithm>

#include "tdx/explain/init_vm_checks.h"

namespace virttdx {
namespace {

struct CheckOfCause {
  std::string_view id;  ///< of the table's row that it is about
  InitVmCheck check;
};

// In the order of the checks in KVM and the TDX module.
constexpr CheckOfCause kChecks[] = {
    {"init-vm.too-many-entries", check_entry_count},
    {"init-vm.attributes", check_attributes},
    {"init-vm.xfam", check_xfam},
    {"init-vm.no-guest-phys-bits", check_guest_phys_bits_given},
    {"init-vm.guest-phys-bits", check_guest_phys_bits},
    {"init-vm.five-level-ept", check_five_level_ept},
    {"init-vm.withheld-feature", check_withheld_features},
    {"init-vm.cpuid-entry", check_entries},
    {"init-vm.module-attributes", check_module_attributes},
    {"init-vm.module-xfam", check_module_xfam},
    {"init-vm.module-tsc", check_module_tsc},
    {"init-vm.module-cpuid", check_module_cpuid},
    {"init-vm.leaf-1f", check_leaf_1f},
};

const CauseRow& row_of(std::string_view id) {
  const CauseRows rows = init_vm_causes();
  const auto found = std::ranges::find_if(rows, [&](const CauseRow& row) { return row.id == id; });
  CHECK(found != rows.end());
  return *found;
}

/// KVM's rows of a status-less failure that the checks above looked at and did not find. What the TDX module
/// refuses stays: its rules may be newer than ours.
bool is_ruled_out(const TdxCause& cause) {
  return !cause.id.starts_with("init-vm.module-") &&
         std::ranges::any_of(kChecks, [&](const CheckOfCause& row) { return row.id == cause.id; });
}

constexpr std::uint32_t kX2apic = 1U << 21;  // CPUID.1:ECX

}  // namespace

std::vector<TdxCause> explain_init_vm(const TdConfig& td, const HostCapabilities& host,
                                      const TdxFailure& failure) {
  TdxFailure known = failure;
  known.request = KvmRequest::TdxInitVm;
  std::vector<TdxCause> causes;
  for (const CheckOfCause& entry : kChecks) {
    const CauseRow& row = row_of(entry.id);
    if (fits(known, row.system_errno, row.status)) entry.check({td, host}, row, causes);
  }
  if (!causes.empty()) return causes;
  causes = explain_tdx(known);
  // With nothing else left, the host's own data were not known well enough to rule out anything.
  if (std::ranges::all_of(causes, is_ruled_out)) return causes;
  std::erase_if(causes, is_ruled_out);
  return judged(std::move(causes));
}

std::vector<TdxCause> explain_init_vcpu(const TdConfig& td, const TdxFailure& failure) {
  TdxFailure known = failure;
  known.request = KvmRequest::TdxInitVcpu;
  std::vector<TdxCause> causes = explain_tdx(known);
  const auto x2apic = std::ranges::find(causes, std::string_view("init-vcpu.x2apic"), &TdxCause::id);
  const CpuidEntry* const features = find_cpuid(td.vcpu_cpuid, 1, 0);
  if (x2apic == causes.end()) return causes;
  if (features != nullptr && (features->ecx & kX2apic) != 0) {
    causes.erase(x2apic);
    return judged(std::move(causes));
  }
  return judged({*x2apic});
}

}  // namespace virttdx
