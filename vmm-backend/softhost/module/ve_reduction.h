// SPDX-License-Identifier: GPL-2.0-or-later
// What a TD changes of its CPUID and MSRs by TD_CTLS.REDUCE_VE and FEATURE_PARAVIRT_CTLS: #VE only for what
// it said that it handles, the architectural answer of a processor without the feature for everything else.
// Intel TDX Module Base Specification, "Reduced #VE"; module 1.5.34.
#pragma once

#include <cstdint>
#include <optional>

#include "softhost/cpu/cpu_engine.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

/// The fields that TDG.VM.RD and TDG.VM.WR reach and a guest may change.
struct TdControls {
  std::uint64_t td_ctls = 0;  ///< tdx::td_control
  std::uint64_t notify_enables = 0;
  std::uint64_t feature_paravirt_ctls = 0;  ///< tdx::feature_paravirt

  bool reduces_ve() const { return td_ctls >> tdx::td_control::kReduceVe & 1; }
  /// `feature` of tdx::feature_paravirt is handled by #VE where the TD's CPUID has it.
  bool handles(unsigned feature) const { return !reduces_ve() || feature_paravirt_ctls >> feature & 1; }
};

/// `value` of a CPUID leaf with the bits of features that the TD decides over.
CpuidValue with_features(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue value,
                         const TdControls& controls);

/// The leaves that tell of those features, as the TD was configured.
struct FeatureLeaves {
  CpuidValue leaf1, leaf7;
};

/// An MSR that msr_spec.h does not list, or whose write it lists as #VE, in a TD that reduces #VE.
enum class ReducedMsr : std::uint8_t {
  Absent,    ///< #GP
  Ve,        ///< #VE as without REDUCE_VE
  Emulated,  ///< the module answers
};
ReducedMsr reduced_msr(std::uint32_t index, const TdControls& controls, const FeatureLeaves& cpuid);

/// What the module answers for an emulated MSR that no one has written; nothing: it cannot be read (#GP).
std::optional<std::uint64_t> reduced_msr_value(std::uint32_t index);

}  // namespace virttdx::softhost
