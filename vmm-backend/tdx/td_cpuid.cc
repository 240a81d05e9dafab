// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_cpuid.h"

#include <array>

namespace virttdx {
namespace {

constexpr std::uint32_t kFeatures = 1;
constexpr std::uint32_t kTopology = 0xB;
constexpr std::uint32_t kTopologyV2 = 0x1F;
constexpr std::uint32_t kAddressSizes = 0x80000008;
constexpr std::uint32_t kX2apic = 1U << 21;  // CPUID.1:ECX
constexpr std::uint32_t kInitialApicIdShift = 24;

constexpr std::array<const char*, 4> kRegisterNames = {"EAX", "EBX", "ECX", "EDX"};

Result<> check_bits(const char* what, std::uint64_t value, std::uint64_t offered) {
  if ((value & ~offered) == 0) return {};
  return fail(Error::Code::ConfigUnsupported,
              "{} {:#x}: bits {:#x} are not offered by this host's KVM (offered: {:#x})", what, value,
              value & ~offered, offered);
}

Result<> check_entry(const CpuidEntry& entry, const CpuidEntries& configurable) {
  const CpuidEntry* const offered = find_cpuid(configurable, entry.function, entry.index);
  if (offered == nullptr)
    return fail(Error::Code::ConfigUnsupported,
                "CPUID leaf {:#x} sub-leaf {:#x} is not configurable on this host's TDX module",
                entry.function, entry.index);
  for (const CpuidRegister name : kCpuidRegisters)
    if (const std::uint32_t refused = entry.get(name) & ~offered->get(name); refused != 0)
      return fail(Error::Code::ConfigUnsupported,
                  "CPUID leaf {:#x} sub-leaf {:#x} register {}: bits {:#x} are not configurable "
                  "(configurable: {:#x})",
                  entry.function, entry.index, kRegisterNames.at(static_cast<std::size_t>(name)), refused,
                  offered->get(name));
  return {};
}

}  // namespace

CpuidEntries cpuid_of_vcpu(const CpuidEntries& common, std::uint32_t vcpu) {
  CpuidEntries entries = common;
  for (CpuidEntry& entry : entries) {
    if (entry.function == kFeatures)
      entry.ebx = (entry.ebx & ((1U << kInitialApicIdShift) - 1)) | vcpu << kInitialApicIdShift;
    if (entry.function == kTopology || entry.function == kTopologyV2) entry.edx = vcpu;
  }
  return entries;
}

std::uint32_t gpaw_of(const CpuidEntries& entries) {
  const CpuidEntry* const sizes = find_cpuid(entries, kAddressSizes, 0);
  return sizes == nullptr ? 0 : sizes->eax >> 16 & 0xFF;
}

Result<> check_td_config(const TdConfig& td, const TdxCapabilities& host) {
  TRY(check_bits("TD attributes", td.attributes, host.supported_attributes));
  TRY(check_bits("XFAM", td.xfam, host.supported_xfam));
  for (const CpuidEntry& entry : td.cpuid) TRY(check_entry(entry, host.configurable_cpuid));
  const std::uint32_t gpaw = gpaw_of(td.cpuid);
  if (gpaw != 48 && gpaw != 52)
    return fail(Error::Code::ConfigUnsupported,
                "CPUID 0x80000008 EAX[23:16], the guest-physical address width, is {}; TDX "
                "allows 48 or 52",
                gpaw);
  const CpuidEntry* const features = find_cpuid(td.vcpu_cpuid, kFeatures, 0);
  if (features == nullptr || (features->ecx & kX2apic) == 0)
    return fail(Error::Code::ConfigUnsupported,
                "the vCPUs' CPUID leaf 1 lacks x2APIC (ECX bit 21), without which KVM makes "
                "no vCPU of a TD");
  return {};
}

}  // namespace virttdx
