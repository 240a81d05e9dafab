// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID as one TD sees it: the module's table applied to the native values and the VMM's configuration.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "softhost/cpu/cpu_engine.h"
#include "softhost/module/tdx_module.h"
#include "softhost/module/ve_reduction.h"
#include "tdx/tdx_cpuid_spec.h"
#include "vmm_backend/cpuid.h"

namespace virttdx::softhost {

/// What the answer depends on at the time of the question.
struct CpuidContext {
  unsigned cpl = 0;
  std::uint64_t cr4 = 0;
  std::uint64_t xcr0 = 1;
  std::uint64_t xss = 0;
  bool long_mode = true;  ///< executed in 64-bit mode
};

/// What of the TD's and the vCPU's state decides over values and #VE.
struct CpuidVcpuState {
  std::uint32_t index = 0;
  std::uint32_t x2apic_id = 0;
  TdControls controls = {};

  bool has(unsigned control) const { return controls.td_ctls >> control & 1; }  ///< of tdx::td_control
};

/// Immutable after configure(); any thread.
class CpuidVirtualization {
 public:
  using Config = std::span<const CpuidValue, tdx::kCpuidConfigCount>;
  struct Parameters {
    std::uint64_t attributes = 0;
    std::uint64_t xfam = 0;
    std::uint64_t config_flags = 0;
    std::uint16_t tsc_frequency = 0;
  };

  explicit CpuidVirtualization(const TdxModule& module) : module_(&module) {}

  /// Computes the table. `config` has passed TDH.MNG.INIT's checks.
  void configure(const Parameters& parameters, Config config);

  /// The value the guest gets; nothing: #VE with exit reason 10.
  std::optional<CpuidValue> cpuid(std::uint32_t leaf, std::uint32_t subleaf, const CpuidContext& context,
                                  const CpuidVcpuState& vcpu) const;
  /// CPUID_VALUES of a leaf without what is computed at execution time; nothing when the table has no such
  /// leaf.
  std::optional<CpuidValue> value(std::uint32_t leaf, std::uint32_t subleaf) const;
  /// All CPUID_VALUES, in the table's order, as KVM_TDX_GET_CPUID lists them: index_significant is set for
  /// leaves with sub-leaves.
  CpuidEntries values() const;

 private:
  CpuidValue virtualize(const tdx::CpuidLeafRule& rule, Config config) const;
  bool leaf_is_zero(const tdx::CpuidLeafRule& rule) const;
  void finish_topology();
  void finish_sizes();
  bool causes_ve(std::uint32_t leaf, const CpuidVcpuState& vcpu) const;
  std::optional<CpuidValue> unlisted(std::uint32_t leaf, std::uint32_t subleaf,
                                     const CpuidVcpuState& vcpu) const;
  void apply_dynamic(std::uint32_t leaf, std::uint32_t subleaf, const CpuidContext& context,
                     const CpuidVcpuState& vcpu, CpuidValue& value) const;
  CpuidValue native_cache(std::uint32_t subleaf, const CpuidValue& configured) const;
  std::uint32_t xsave_size(std::uint64_t components, bool compacted) const;

  const TdxModule* module_;
  Parameters parameters_;
  std::array<CpuidValue, tdx::kCpuidLeafCount> values_{};
};

}  // namespace virttdx::softhost
