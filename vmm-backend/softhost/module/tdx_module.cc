// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/tdx_module.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "support/result.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

constexpr std::uint64_t kFeatures0 = bit(tdx::kFeaturePendingEptViolationV2) | bit(tdx::kFeatureFmsConfig) |
                                     bit(tdx::kFeatureNoRbpMod) | bit(tdx::kFeatureTopologyEnum) |
                                     bit(tdx::kFeatureMaxpaVirt) | bit(tdx::kFeatureCpuid2Virt) |
                                     bit(tdx::kFeatureVeReduction) | bit(tdx::kFeatureMaxgpaVirt);

std::uint64_t attributes_allowed(const NativeCpuid& native) {
  constexpr std::uint32_t kLassInLeaf7_1Eax = 1U << 6, kPksInLeaf7Ecx = 1U << 31;
  auto allowed = bit(tdx::attribute::kDebug) | bit(tdx::attribute::kSeptVeDisable) |
                 bit(tdx::attribute::kMigratable) | bit(tdx::attribute::kPerfmon);
  if (native(7, 1).eax & kLassInLeaf7_1Eax) allowed |= bit(tdx::attribute::kLass);
  if (native(7, 0).ecx & kPksInLeaf7Ecx) allowed |= bit(tdx::attribute::kPks);
  return allowed;
}

std::uint64_t xfam_allowed(const NativeCpuid& native) {
  return tdx::xfam::kFixed0 & (std::uint64_t{native(0xD, 0).eax} | native(0xD, 1).ecx);
}

CpuidConfigTable config_table(const NativeCpuid& native) {
  CpuidConfigTable table;
  for (const auto& rule : tdx::kCpuidLeaves) {
    if (rule.config_index < 0) continue;
    const auto value = native(rule.leaf, rule.subleaf == tdx::kNoSubleaf ? 0 : rule.subleaf);
    const auto allowed = [&](std::size_t i, std::uint32_t native_bits) {
      return rule.registers[i].config_direct | (rule.registers[i].allow_direct & native_bits);
    };
    table[static_cast<std::size_t>(rule.config_index)] = {
        rule.leaf,
        rule.subleaf,
        {allowed(0, value.eax), allowed(1, value.ebx), allowed(2, value.ecx), allowed(3, value.edx)}};
  }
  return table;
}

void take_offer(CpuidConfigTable& table, const CpuidEntries& offer) {
  for (auto& entry : table) {
    const auto* const seen =
        find_cpuid(offer, entry.leaf, entry.subleaf == tdx::kNoSubleaf ? 0 : entry.subleaf);
    entry.offered = seen != nullptr;
    entry.configurable = seen ? CpuidValue{seen->eax, seen->ebx, seen->ecx, seen->edx} : CpuidValue{};
  }
}

}  // namespace

TdxModule::TdxModule(NativeCpuid native_values, const std::optional<ModuleOffer>& offer)
    : native_(std::move(native_values)),
      attributes_fixed0_(offer ? offer->attributes : attributes_allowed(native_)),
      xfam_fixed0_(offer ? offer->xfam : xfam_allowed(native_)),
      five_level_ept_(offer ? offer->five_level_ept : (native_(0x80000008, 0).eax & 0xFF) >= 49),
      cpuid_config_(config_table(native_)) {
  if (offer) take_offer(cpuid_config_, offer->cpuid_config);
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(report_key_.data()),
                   static_cast<int>(report_key_.size())) == 1);
}

std::array<std::byte, 32> TdxModule::report_mac(std::span<const std::byte, 224> report) const {
  std::array<std::byte, 32> mac;
  CHECK(HMAC(EVP_sha256(), report_key_.data(), static_cast<int>(report_key_.size()),
             reinterpret_cast<const unsigned char*>(report.data()), report.size(),
             reinterpret_cast<unsigned char*>(mac.data()), nullptr) != nullptr);
  return mac;
}

std::optional<std::uint64_t> TdxModule::system_field(std::uint64_t field_id) const {
  const auto field = field_id & tdx::field::kClassAndCodeMask;
  switch (field) {
    case tdx::field::kSysTdxFeatures0:
      return kFeatures0;
    case tdx::field::kSysAttributesFixed0:
      return attributes_fixed0_;
    case tdx::field::kSysAttributesFixed1:
      return 0;
    case tdx::field::kSysXfamFixed0:
      return xfam_fixed0_;
    case tdx::field::kSysXfamFixed1:
      return tdx::xfam::kFixed1;
    case tdx::field::kSysNumCpuidConfig:
      return static_cast<std::uint64_t>(
          std::ranges::count_if(cpuid_config_, [](const auto& entry) { return entry.offered; }));
    case tdx::field::kSysMaxVcpusPerTd:
      return tdx::kMaxVcpusPerTd;
    default:
      return cpuid_config_field(field);
  }
}

const CpuidConfigEntry* TdxModule::offered_entry(std::uint64_t number) const {
  for (const auto& entry : cpuid_config_)
    if (entry.offered && number-- == 0) return &entry;
  return nullptr;
}

std::optional<std::uint64_t> TdxModule::cpuid_config_field(std::uint64_t field) const {
  const auto leaf = field - tdx::field::kSysCpuidConfigLeaves;
  if (const auto* const entry = offered_entry(leaf)) return entry->leaf | std::uint64_t{entry->subleaf} << 32;
  const auto half = field - tdx::field::kSysCpuidConfigValues;
  const auto* const entry = offered_entry(half / 2);
  if (entry == nullptr) return std::nullopt;
  const auto& value = entry->configurable;
  return half % 2 ? value.ecx | std::uint64_t{value.edx} << 32 : value.eax | std::uint64_t{value.ebx} << 32;
}

}  // namespace virttdx::softhost
