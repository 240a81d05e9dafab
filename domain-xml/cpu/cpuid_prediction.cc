// SPDX-License-Identifier: GPL-2.0-or-later
// What the TDX module makes of a request: Intel TDX Module ABI Specification, CPUID virtualization.
#include <algorithm>

#include "cpu/cpu_map.h"
#include "domain_xml/cpu_models.h"
#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kMonitorLeaf = 5, kXsaveLeaf = 0xD, kTopologyLeaf = 0x1F, kAddressLeaf = 0x80000008;
constexpr std::uint32_t kLevelType = 0xFF00;  // CPUID.1FH:ECX
constexpr CpuidBit kMonitor{1, 0, CpuidRegister::Ecx, 3};
constexpr CpuidBit kLa57{7, 0, CpuidRegister::Ecx, 16};
constexpr CpuidBit kXfd{kXsaveLeaf, 1, CpuidRegister::Eax, 4};
constexpr unsigned kTileData = 18, kMigratable = 29;

CpuidEntry predicted_entry(const CpuidEntry& asked, const TdConfig& td) {
  auto entry = asked;
  const auto* given = find_cpuid(td.cpuid, asked.function, asked.index);
  for (const auto reg : kCpuidRegisters)
    entry.set(reg, tdx_cpuid_register(asked.function, asked.index, reg, td.xfam, td.attributes)
                       .value(given == nullptr ? 0 : given->get(reg), asked.get(reg)));
  return entry;
}

// Widths: physical is the CPU's own, linear follows LA57, guest-physical is not shown.
void finish_addresses(CpuidEntry& entry, const CpuidEntry& asked, bool five_levels) {
  entry.eax = (asked.eax & 0xFF) | (five_levels ? 57U : 48U) << 8;
}

// The size of the XSAVE area with all state that XFAM lets XCR0 have: offset and size of the last component.
std::uint32_t xsave_size(const TdConfig& td) {
  constexpr std::uint32_t kLegacyAndHeader = 512 + 64, kFirstComponent = 2, kComponents = 63;
  constexpr std::uint64_t kXcr0 = 0x000602FF;
  std::uint32_t size = kLegacyAndHeader;
  for (std::uint32_t i = kFirstComponent; i < kComponents; ++i) {
    const auto* component = find_cpuid(td.vcpu_cpuid, kXsaveLeaf, i);
    if ((td.xfam & kXcr0) >> i & 1 && component != nullptr)
      size = std::max(size, component->ebx + component->eax);
  }
  return size;
}

// Rules of the module that no mask expresses.
void finish(CpuidEntries& entries, const TdConfig& td) {
  const bool monitor = is_set(entries, kMonitor), five_levels = is_set(entries, kLa57);
  for (auto& entry : entries) {
    const auto* asked = find_cpuid(td.vcpu_cpuid, entry.function, entry.index);
    const bool gone = (entry.function == kMonitorLeaf && !monitor) ||
                      (entry.function == 0x1A && (td.attributes >> kMigratable & 1) != 0);
    if (gone) entry.eax = entry.ebx = entry.ecx = entry.edx = 0;
    // Family, model and stepping of 0 stand for the physical CPU's.
    if (entry.function == 1 && entry.eax == 0) entry.eax = asked->eax;
    if (entry.function == kXsaveLeaf && entry.index == 0) entry.ecx = xsave_size(td);
    if (entry.function == kAddressLeaf) finish_addresses(entry, *asked, five_levels);
  }
  if ((td.xfam >> kTileData & 1) == 0) assign(entries, kXfd, false);
}

// INIT_VM without a level of leaf 0x1F leaves the module with the physical CPU's, which KVM tells nobody.
bool has_topology(const TdConfig& td) {
  return std::ranges::any_of(td.cpuid, [](const CpuidEntry& entry) {
    return entry.function == kTopologyLeaf && (entry.ecx & kLevelType) != 0;
  });
}

}  // namespace

CpuidEntries predict_cpuid(const TdConfig& td) {
  CpuidEntries entries;
  const bool configured = has_topology(td);
  for (const auto& asked : td.vcpu_cpuid) {
    // Derived from leaf 0x1F as a whole, and both asked for in the module's own form.
    const bool topology = asked.function == 0xB || asked.function == kTopologyLeaf;
    if (!topology) entries.push_back(predicted_entry(asked, td));
    if (topology && configured) entries.push_back(asked);
  }
  finish(entries, td);
  return entries;
}

CpuidEntries predict_cpuid(const GuestCpuid& guest) {
  TdConfig td;
  td.attributes = guest.attributes;
  td.xfam = guest.xfam;
  td.cpuid = guest.report.requested;
  td.vcpu_cpuid = guest.report.vcpu_requested;
  return predict_cpuid(td);
}

std::vector<CpuidDifference> wrong_predictions(const GuestCpuid& guest) {
  auto differences = compare_cpuid(guest.report, guest.xfam, guest.attributes, predict_cpuid(guest));
  std::erase_if(differences, [](const CpuidDifference& difference) {
    return !difference.predicted || *difference.predicted == difference.actual;
  });
  return differences;
}

}  // namespace virttdx::domain_xml
