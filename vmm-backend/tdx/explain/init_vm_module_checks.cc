// SPDX-License-Identifier: GPL-2.0-or-later
// The TDX module's checks of TD_PARAMS (Intel TDX Module ABI Reference Specification, TDH.MNG.INIT), with
// what they found.
#include <fmt/format.h>

#include <array>

#include "tdx/explain/init_vm_checks.h"
#include "vmm_backend/td_bit_names.h"

namespace virttdx {
namespace {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

constexpr std::uint64_t kAvx512 =
    bit(tdx::xfam::kAvx512Opmask) | bit(tdx::xfam::kZmmHi256) | bit(tdx::xfam::kHi16Zmm);
constexpr std::uint64_t kXfamGroups[] = {kAvx512, bit(tdx::xfam::kCetU) | bit(tdx::xfam::kCetS),
                                         bit(tdx::xfam::kTileCfg) | bit(tdx::xfam::kTileData)};
constexpr std::uint32_t kKhzPerTscUnit = tdx::kTscUnitHz / 1000;
constexpr std::uint32_t kAddressSizes = 0x80000008;
constexpr std::uint32_t kGuestPhysBits = 0x00FF0000;
constexpr std::uint32_t kTopologyV2 = 0x1F;
constexpr std::array<const char*, 4> kRegisterNames = {"EAX", "EBX", "ECX", "EDX"};

void check_register(const CpuidEntry& entry, const CpuidEntry& offered, CpuidRegister name,
                    const CauseRow& row, std::vector<TdxCause>& causes) {
  std::uint32_t extra = entry.get(name) & ~offered.get(name);
  if (entry.function == kAddressSizes && name == CpuidRegister::Eax) extra &= ~kGuestPhysBits;
  if (extra == 0) return;
  causes.push_back(
      with_values(row,
                  fmt::format("{} {} is {:#x}, of which bits {:#x} are not configurable", leaf_name(entry),
                              kRegisterNames.at(static_cast<std::size_t>(name)), entry.get(name), extra),
                  fmt::format("configurable are {:#x}", offered.get(name))));
}

}  // namespace

void check_module_attributes(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  constexpr std::uint64_t kMigratable = bit(tdx::attribute::kMigratable);
  constexpr std::uint64_t kExcluded = bit(tdx::attribute::kDebug) | bit(tdx::attribute::kPerfmon);
  const std::uint64_t attributes = input.td.attributes;
  if ((attributes & kMigratable) != 0 && (attributes & kExcluded) != 0)
    causes.push_back(with_values(row,
                                 fmt::format("ATTRIBUTES {:#x} has MIGRATABLE together with {}", attributes,
                                             td_attribute_names(attributes & kExcluded)),
                                 "clear one of them"));
}

void check_module_xfam(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  const std::uint64_t xfam = input.td.xfam;
  for (const std::uint64_t group : kXfamGroups)
    if ((xfam & group) != 0 && (xfam & group) != group)
      causes.push_back(with_values(row,
                                   fmt::format("XFAM {:#x} has {} without {}", xfam, xfam_names(xfam & group),
                                               xfam_names(group & ~xfam)),
                                   "set all of them or none"));
  if ((xfam & kAvx512) != 0 && (xfam & bit(tdx::xfam::kAvx)) == 0)
    causes.push_back(with_values(row,
                                 fmt::format("XFAM {:#x} has {} without {}", xfam, xfam_names(xfam & kAvx512),
                                             xfam_names(bit(tdx::xfam::kAvx))),
                                 "set AVX too, or leave out AVX-512"));
}

void check_module_tsc(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  const bool is_own = input.td.tsc_khz != 0;
  const std::uint32_t khz = is_own ? input.td.tsc_khz : input.host.tsc_khz;
  const std::uint32_t units = khz / kKhzPerTscUnit;
  if (khz == 0 || (units >= tdx::kMinTscFrequency && units <= tdx::kMaxTscFrequency)) return;
  causes.push_back(
      with_values(row, fmt::format("{} TSC frequency is {} kHz", is_own ? "the" : "the host's own", khz),
                  "the TDX module takes 100000 to 10000000 kHz"));
}

void check_module_cpuid(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  for (const CpuidEntry& entry : input.td.cpuid) {
    const CpuidEntry* const offered = find_cpuid(input.host.configurable_cpuid, entry.function, entry.index);
    if (offered == nullptr) continue;
    for (const CpuidRegister name : kCpuidRegisters) check_register(entry, *offered, name, row, causes);
  }
}

void check_leaf_1f(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  constexpr std::uint32_t kSmt = 1, kCore = 2;
  std::uint32_t last = 0;
  bool is_given = false;
  for (const CpuidEntry& entry : input.td.cpuid)
    is_given = is_given || (entry.function == kTopologyV2 && (entry.eax | entry.ebx | entry.ecx) != 0);
  for (std::uint32_t level = 0; is_given && level < 6; ++level) {
    const CpuidEntry* const entry = find_cpuid(input.td.cpuid, kTopologyV2, level);
    const std::uint32_t type = entry == nullptr ? 0 : entry->ecx >> 8 & 0xFF;
    const bool is_wrong = level == 0 ? type != kSmt : level == 1 ? type != kCore : type != 0 && type <= last;
    if (is_wrong)
      causes.push_back(with_values(
          row, fmt::format("CPUID 0x1f sub-leaf {:#x} has level type {} (ECX[15:8])", level, type),
          "the TDX module wants 1 (SMT), 2 (core), then rising types; leave the leaf out for the host's own "
          "topology"));
    last = type;
  }
}

}  // namespace virttdx
