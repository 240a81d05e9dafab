// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/host_profile.h"

#include <algorithm>
#include <memory>

#include "tdx/tdx_spec.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kAddressLeaf = 0x80000008, kGuestPhysicalBits = 0x00FF0000;
constexpr std::uint32_t kTscLeaf = 0x15, kCrystalHz = 25'000'000, kKhzPerTscUnit = 25'000;
constexpr std::uint32_t kOldTopologyLeaf = 0xB, kTopologyLeaf = 0x1F;

const tdx::CpuidLeafRule* find_rule(std::uint32_t leaf, std::uint32_t subleaf) {
  for (const auto& rule : tdx::kCpuidLeaves)
    if (rule.leaf == leaf && (rule.subleaf == subleaf || (rule.subleaf == tdx::kNoSubleaf && subleaf == 0)))
      return &rule;
  return nullptr;
}

/// What the record's KVM shows; zeros where it shows nothing.
CpuidValue shown(const HostCapabilities& profile, std::uint32_t leaf, std::uint32_t subleaf) {
  for (const auto& entry : profile.supported_cpuid)
    if (entry.function == leaf && (!entry.index_significant || entry.index == subleaf))
      return {entry.eax, entry.ebx, entry.ecx, entry.edx};
  // Behind the last topology level only the asked-for sub-leaf is told.
  if (leaf == kOldTopologyLeaf || leaf == kTopologyLeaf)
    return {.eax = 0, .ebx = 0, .ecx = subleaf & 0xFF, .edx = 0};
  return {};
}

// A bit that is configurable where the processor has it is one that the processor has.
void add_configurable(const HostCapabilities& profile, std::uint32_t leaf, std::uint32_t subleaf,
                      CpuidValue& value) {
  const auto* const offered = find_cpuid(profile.configurable_cpuid, leaf, subleaf);
  const auto* const rule = find_rule(leaf, subleaf);
  if (offered == nullptr || rule == nullptr) return;
  value.eax |= offered->eax & rule->registers[0].allow_direct;
  value.ebx |= offered->ebx & rule->registers[1].allow_direct;
  value.ecx |= offered->ecx & rule->registers[2].allow_direct;
  value.edx |= offered->edx & rule->registers[3].allow_direct;
}

CpuidValue native_of(const HostCapabilities& profile, std::uint32_t leaf, std::uint32_t subleaf) {
  if (leaf == kTscLeaf)
    return {.eax = 1, .ebx = profile.tsc_khz / kKhzPerTscUnit, .ecx = kCrystalHz, .edx = 0};
  CpuidValue value = shown(profile, leaf, subleaf);
  add_configurable(profile, leaf, subleaf, value);
  if (leaf == kAddressLeaf) value.eax = (value.eax & ~0xFFU) | (profile.physical_address_bits & 0xFF);
  return value;
}

/// Bits of a register that the record lets be configured and the modelled module does not.
Result<> check_entry(const CpuidEntry& entry) {
  const auto* const rule = find_rule(entry.function, entry.index);
  if (rule == nullptr || rule->config_index < 0)
    return fail(
        Error::Code::Unsupported,
        "the software TDX host cannot play this host: its module configures CPUID leaf {:#x}.{}, which "
        "module "
        "1.5.34 does not; use a record of a host with that module, or remove the leaf from the record",
        entry.function, entry.index);
  for (std::size_t i = 0; i < kCpuidRegisters.size(); ++i) {
    std::uint32_t more =
        entry.get(kCpuidRegisters[i]) & ~(rule->registers[i].config_direct | rule->registers[i].allow_direct);
    if (entry.function == kAddressLeaf && i == 0) more &= ~kGuestPhysicalBits;  // KVM's own
    if (more != 0)
      return fail(Error::Code::Unsupported,
                  "the software TDX host cannot play this host: its module configures bits {:#x} of register "
                  "{} of CPUID "
                  "leaf {:#x}.{}, which module 1.5.34 does not; remove the bits from the record",
                  more, i, entry.function, entry.index);
  }
  return {};
}

Result<> check(const HostCapabilities& profile) {
  for (const auto& entry : profile.configurable_cpuid) TRY(check_entry(entry));
  if (const auto more = profile.supported_xfam & ~tdx::xfam::kFixed0; more != 0)
    return fail(
        Error::Code::Unsupported,
        "the software TDX host cannot play this host: its module offers XFAM bits {:#x}, which module 1.5.34 "
        "does not; remove the bits from the record",
        more);
  return {};
}

ModuleOffer offer_of(const HostCapabilities& profile) {
  return {.attributes = profile.supported_attributes,
          .xfam = profile.supported_xfam,
          .five_level_ept = profile.five_level_ept,
          .cpuid_config = profile.configurable_cpuid};
}

}  // namespace

Result<Processor> play_host(const HostCapabilities& profile) {
  TRY(check(profile));
  Processor processor;
  processor.cpuid = [kept = std::make_shared<const HostCapabilities>(profile)](std::uint32_t leaf,
                                                                               std::uint32_t subleaf) {
    return native_of(*kept, leaf, subleaf);
  };
  if (profile.key_ids) {
    const std::uint32_t elsewhere = std::min(*profile.key_ids, profile.key_ids_used.value_or(0));
    processor.key_ids = *profile.key_ids - elsewhere;
  }
  processor.tdx = profile.tdx_supported;
  if (profile.max_vcpus != 0) processor.present_cpus = profile.max_vcpus;
  processor.kvm_attributes = profile.supported_attributes;
  processor.user_tdvmcallinfo_1_r11 = profile.user_tdvmcallinfo_1_r11;
  processor.user_tdvmcallinfo_1_r12 = profile.user_tdvmcallinfo_1_r12;
  processor.tsc_khz = profile.tsc_khz;
  processor.supported_cpuid = profile.supported_cpuid;
  processor.module = offer_of(profile);
  return processor;
}

}  // namespace virttdx::softhost
