// SPDX-License-Identifier: GPL-2.0-or-later
// What the modelled TDX module (1.5.34) offers on the emulated processor: TDH.SYS.RD's content.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "softhost/cpu/cpu_engine.h"
#include "tdx/tdx_cpuid_spec.h"
#include "vmm_backend/cpuid.h"

namespace virttdx::softhost {

/// CPUID of the processor before virtualisation; native_cpuid() in the product, unless a profile is played.
using NativeCpuid = std::function<CpuidValue(std::uint32_t leaf, std::uint32_t subleaf)>;

/// One entry of CPUID_CONFIG_LEAVES and CPUID_CONFIG_VALUES.
struct CpuidConfigEntry {
  std::uint32_t leaf = 0;
  std::uint32_t subleaf = 0;  ///< tdx::kNoSubleaf: the leaf has none
  CpuidValue configurable;    ///< bits that TD_PARAMS.CPUID_CONFIG may set
  bool offered = true;        ///< false: this module does not have the entry
};
using CpuidConfigTable = std::array<CpuidConfigEntry, tdx::kCpuidConfigCount>;

/// What a module was seen to offer, instead of what the model would on the processor.
struct ModuleOffer {
  std::uint64_t attributes = 0;
  std::uint64_t xfam = 0;
  bool five_level_ept = false;
  /// Entries of CPUID_CONFIG, without bits that KVM keeps back; index 0 for leaves without sub-leaves.
  CpuidEntries cpuid_config;
};

/// Immutable after construction; any thread.
class TdxModule {
 public:
  explicit TdxModule(NativeCpuid native_values, const std::optional<ModuleOffer>& offer = {});

  CpuidValue native(std::uint32_t leaf, std::uint32_t subleaf) const { return native_(leaf, subleaf); }
  /// Bits of ATTRIBUTES and XFAM that may be 1.
  std::uint64_t attributes_fixed0() const { return attributes_fixed0_; }
  std::uint64_t xfam_fixed0() const { return xfam_fixed0_; }
  /// In the order of TD_PARAMS.CPUID_CONFIG. What KVM_TDX_CAPABILITIES reports before KVM's own filter.
  const CpuidConfigTable& cpuid_config_table() const { return cpuid_config_; }
  /// Five-level EPT, and with it GPAW 52, is possible.
  bool five_level_ept() const { return five_level_ept_; }
  /// The MAC of REPORTMACSTRUCT's first 224 bytes, under a key that lives as long as this object. Nobody else
  /// can check it: there is no quoting enclave.
  std::array<std::byte, 32> report_mac(std::span<const std::byte, 224> report) const;
  /// A field of TDG.SYS.RD; nothing when this module has no such field.
  std::optional<std::uint64_t> system_field(std::uint64_t field_id) const;

 private:
  std::optional<std::uint64_t> cpuid_config_field(std::uint64_t field) const;
  const CpuidConfigEntry* offered_entry(std::uint64_t number) const;

  NativeCpuid native_;
  std::uint64_t attributes_fixed0_;
  std::uint64_t xfam_fixed0_;
  bool five_level_ept_;
  CpuidConfigTable cpuid_config_;
  std::array<std::byte, 32> report_key_;
};

}  // namespace virttdx::softhost
