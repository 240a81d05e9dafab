// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/emulated_msrs.h"

#include <algorithm>
#include <array>

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kApicBase = 0x1B, kFeatureControl = 0x3A;
constexpr std::uint64_t kFeatureControlLmce = 1U << 20;
constexpr std::uint64_t kApicBaseAddress = 0xFEE00000;
constexpr std::uint64_t kApicBaseEnabled = 1U << 11, kApicBaseX2apic = 1U << 10, kApicBaseBootCpu = 1U << 8;

// Numbers and names: Intel SDM volume 4. Values at reset: what KVM gives a vCPU.
struct MsrRange {
  std::uint32_t first, last;
  bool writable;
  std::uint64_t reset;
};

constexpr std::array kRanges = {
    MsrRange{0x3A, 0x3A, false, 0x1},                  // IA32_FEATURE_CONTROL: locked
    MsrRange{0x8B, 0x8B, true, 0x100000000},           // IA32_BIOS_SIGN_ID: microcode revision 1
    MsrRange{0xCE, 0xCE, true, 0},                     // MSR_PLATFORM_INFO
    MsrRange{0xFE, 0xFE, false, 0x508},                // IA32_MTRRCAP: 8 variable, fixed, write-combining
    MsrRange{0x10A, 0x10A, true, 0},                   // IA32_ARCH_CAPABILITIES
    MsrRange{0x140, 0x140, true, 0},                   // MSR_MISC_FEATURES_ENABLES
    MsrRange{0x1A0, 0x1A0, true, 0x1},                 // IA32_MISC_ENABLE: fast strings
    MsrRange{0x1FC, 0x1FC, true, 0},                   // MSR_POWER_CTL
    MsrRange{0x200, 0x20F, true, 0},                   // variable MTRRs
    MsrRange{0x250, 0x250, true, 0},                   // fixed MTRRs
    MsrRange{0x258, 0x259, true, 0},                   //
    MsrRange{0x268, 0x26F, true, 0},                   //
    MsrRange{0x277, 0x277, true, 0x0007040600070406},  // IA32_PAT
    MsrRange{0x2FF, 0x2FF, true, 0},                   // IA32_MTRR_DEF_TYPE
    MsrRange{0x4B564D05, 0x4B564D05, true, 1},         // KVM's MSR_KVM_POLL_CONTROL
    MsrRange{0xC0000080, 0xC0000080, false, 0xD01},    // IA32_EFER: SCE, LME, LMA, NXE
};

const MsrRange* find_range(std::uint32_t index) {
  const auto* const found = std::find_if(kRanges.begin(), kRanges.end(), [&](const MsrRange& range) {
    return index >= range.first && index <= range.last;
  });
  return found == kRanges.end() ? nullptr : found;
}

}  // namespace

EmulatedMsrs::EmulatedMsrs(bool is_boot_vcpu)
    : apic_base_(kApicBaseAddress | kApicBaseEnabled | kApicBaseX2apic |
                 (is_boot_vcpu ? kApicBaseBootCpu : 0)) {}

std::optional<std::uint64_t> EmulatedMsrs::read(std::uint32_t index, MsrAccess access) const {
  if (index == kApicBase) return apic_base_;
  if (MachineCheckMsrs::owns(index)) return machine_checks.read(index, access);
  const MsrRange* const range = find_range(index);
  if (range == nullptr) return std::nullopt;
  if (index == kFeatureControl && machine_checks.has_local_exceptions())
    return range->reset | kFeatureControlLmce;
  const auto written = values_.find(index);
  return written == values_.end() ? range->reset : written->second;
}

bool EmulatedMsrs::write(std::uint32_t index, std::uint64_t value, MsrAccess access) {
  if (MachineCheckMsrs::owns(index)) return machine_checks.write(index, value, access);
  const MsrRange* const range = find_range(index);
  if (range == nullptr || !range->writable) return false;
  values_[index] = value;
  return true;
}

}  // namespace virttdx::softhost
