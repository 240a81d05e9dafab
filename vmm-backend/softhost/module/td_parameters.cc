// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/td_parameters.h"

#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
bool all(std::uint64_t value, std::uint64_t mask) { return (value & mask) == mask; }
bool all_or_none(std::uint64_t value, std::uint64_t mask) { return all(value, mask) || !(value & mask); }

bool attributes_valid(const TdParameters& p, const TdxModule& module) {
  const auto not_migratable = bit(tdx::attribute::kDebug) | bit(tdx::attribute::kPerfmon);
  if (p.attributes & ~module.attributes_fixed0()) return false;
  return !(p.attributes & bit(tdx::attribute::kMigratable)) || !(p.attributes & not_migratable);
}

bool xfam_valid(const TdParameters& p, const TdxModule& module) {
  using namespace tdx::xfam;
  constexpr auto kAvx512 = bit(kAvx512Opmask) | bit(kZmmHi256) | bit(kHi16Zmm);
  if (p.xfam & ~module.xfam_fixed0() || !all(p.xfam, kFixed1)) return false;
  if (!all_or_none(p.xfam, kAvx512)) return false;
  if ((p.xfam & kAvx512) && !(p.xfam & bit(kAvx))) return false;
  return all_or_none(p.xfam, bit(kCetU) | bit(kCetS)) && all_or_none(p.xfam, bit(kTileCfg) | bit(kTileData));
}

bool config_flags_valid(const TdParameters& p, const TdxModule&) {
  using namespace tdx::config_flag;
  return !(p.config_flags &
           ~(bit(kGpaw) | bit(kFlexiblePendingVe) | bit(kNoRbpMod) | bit(kMaxpaVirt) | bit(kMaxgpaVirt)));
}

bool eptp_controls_valid(const TdParameters& p, const TdxModule& module) {
  constexpr std::uint64_t kWriteBack = 6, kFourLevels = 3 << 3, kFiveLevels = 4 << 3;
  if (p.eptp_controls == (kWriteBack | kFiveLevels)) return module.five_level_ept();
  return p.eptp_controls == (kWriteBack | kFourLevels) && !(p.config_flags & bit(tdx::config_flag::kGpaw));
}

bool max_vcpus_valid(const TdParameters& p, const TdxModule&) {
  return p.max_vcpus >= 1 && p.max_vcpus <= tdx::kMaxVcpusPerTd;
}
bool num_l2_vms_valid(const TdParameters& p, const TdxModule&) { return p.num_l2_vms <= tdx::kMaxL2Vms; }
bool tsc_frequency_valid(const TdParameters& p, const TdxModule&) {
  return p.tsc_frequency >= tdx::kMinTscFrequency && p.tsc_frequency <= tdx::kMaxTscFrequency;
}
bool migration_without_l2(const TdParameters& p, const TdxModule&) {
  return p.num_l2_vms == 0 || !(p.attributes & bit(tdx::attribute::kMigratable));
}

bool is_subset(const CpuidValue& value, const CpuidValue& allowed) {
  return !(value.eax & ~allowed.eax) && !(value.ebx & ~allowed.ebx) && !(value.ecx & ~allowed.ecx) &&
         !(value.edx & ~allowed.edx);
}

// HLE and RTM are one feature to the module.
bool hle_and_rtm_agree(const CpuidConfigEntry& entry, const CpuidValue& value) {
  return entry.leaf != 7 || entry.subleaf != 0 || all_or_none(value.ebx, bit(4) | bit(11));
}

ParameterCheck check_cpuid_config(const TdParameters& p, const TdxModule& module) {
  for (std::size_t i = 0; i < p.cpuid_config.size(); ++i) {
    const auto& entry = module.cpuid_config_table()[i];
    if (is_subset(p.cpuid_config[i], entry.configurable) && hle_and_rtm_agree(entry, p.cpuid_config[i]))
      continue;
    return {tdx::status::kOperandInvalid | tdx::operand::kCpuidConfig,
            entry.leaf | std::uint64_t{entry.subleaf} << 32};
  }
  return {tdx::status::kSuccess};
}

// Leaf 0x1F: SMT, core, then rising level types; all zero asks for the processor's own topology.
bool topology_valid(const TdParameters& p, const TdxModule& module) {
  constexpr std::uint32_t kSmt = 1, kCore = 2;
  std::array<std::uint32_t, 6> types{};
  bool configured = false;
  for (std::size_t i = 0; i < p.cpuid_config.size(); ++i) {
    const auto& entry = module.cpuid_config_table()[i];
    if (entry.leaf != 0x1F) continue;
    const auto& value = p.cpuid_config[i];
    types[entry.subleaf] = value.ecx >> 8 & 0xFF;
    configured = configured || value.eax || value.ebx || value.ecx;
  }
  if (!configured) return true;
  if (types[0] != kSmt || types[1] != kCore) return false;
  for (std::size_t i = 2; i < types.size(); ++i)
    if (types[i] && types[i] <= types[i - 1]) return false;
  return true;
}

struct Check {
  bool (*valid)(const TdParameters&, const TdxModule&);
  std::uint64_t operand;
};

constexpr Check kBeforeCpuid[] = {
    {attributes_valid, tdx::operand::kAttributes},     {xfam_valid, tdx::operand::kXfam},
    {max_vcpus_valid, tdx::operand::kMaxVcpus},        {num_l2_vms_valid, tdx::operand::kNumL2Vms},
    {config_flags_valid, tdx::operand::kExecControls}, {eptp_controls_valid, tdx::operand::kEptpControls},
    {tsc_frequency_valid, tdx::operand::kTscFrequency}};

}  // namespace

ParameterCheck check_parameters(const TdParameters& parameters, const TdxModule& module) {
  for (const auto& check : kBeforeCpuid)
    if (!check.valid(parameters, module)) return {tdx::status::kOperandInvalid | check.operand};
  const auto cpuid = check_cpuid_config(parameters, module);
  if (cpuid.status != tdx::status::kSuccess) return cpuid;
  if (!topology_valid(parameters, module)) return {tdx::status::kCpuidLeaf1fFormatUnrecognized};
  if (!migration_without_l2(parameters, module))
    return {tdx::status::kOperandInvalid | tdx::operand::kNumL2Vms};
  return {tdx::status::kSuccess};
}

}  // namespace virttdx::softhost
