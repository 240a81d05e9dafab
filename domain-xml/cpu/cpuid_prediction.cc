// SPDX-License-Identifier: GPL-2.0-or-later
// What the TDX module makes of a request: Intel TDX Module ABI Specification, CPUID virtualization.
#include <algorithm>

#include "cpu/cpu_map.h"
#include "domain_xml/cpu_models.h"
#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kMonitorLeaf = 5, kXsaveLeaf = 0xD, kTopologyLeaf = 0x1F, kAddressLeaf = 0x80000008;
constexpr CpuidBit kMonitor{1, 0, CpuidRegister::Ecx, 3};
constexpr CpuidBit kLa57{7, 0, CpuidRegister::Ecx, 16};
constexpr CpuidBit kXfd{kXsaveLeaf, 1, CpuidRegister::Eax, 4};
constexpr unsigned kTileData = 18, kMigratable = 29;

bool predicted_bit(const CpuidBit& bit, const TdConfig& td) {
  const auto fact = tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit);
  const bool open = (!fact.xfam_bit || (td.xfam >> *fact.xfam_bit & 1) != 0) &&
                    (!fact.attribute_bit || (td.attributes >> *fact.attribute_bit & 1) != 0);
  switch (fact.bit_class) {
    case TdxCpuidClass::Fixed0:
      return false;
    case TdxCpuidClass::Fixed1:
      return open;
    case TdxCpuidClass::Configurable:
    case TdxCpuidClass::ConfigurableIfNative:
      return open && is_set(td.cpuid, bit);
    default:
      return open && is_set(td.vcpu_cpuid, bit);
  }
}

CpuidEntry predicted_entry(const CpuidEntry& asked, const TdConfig& td) {
  auto entry = asked;
  for (const auto reg : kCpuidRegisters) {
    std::uint32_t value = 0;
    for (std::uint8_t i = 0; i < 32; ++i)
      if (predicted_bit({asked.function, asked.index, reg, i}, td)) value |= 1U << i;
    entry.set(reg, value);
  }
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

}  // namespace

CpuidEntries predict_cpuid(const TdConfig& td) {
  CpuidEntries entries;
  for (const auto& asked : td.vcpu_cpuid) {
    // Derived from leaf 0x1F as a whole, and both asked for in the module's own form.
    const bool topology = asked.function == 0xB || asked.function == kTopologyLeaf;
    entries.push_back(topology ? asked : predicted_entry(asked, td));
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
