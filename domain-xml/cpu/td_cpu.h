// SPDX-License-Identifier: GPL-2.0-or-later
// What a TD on one host can have of each CPUID bit, with one XFAM and one set of attributes.
#pragma once

#include <cstdint>

#include "cpu/cpu_model_map.h"
#include "domain_xml/cpu_models.h"
#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {

struct TdCpuBit {
  TdCpuBitClass bit_class = TdCpuBitClass::NotOffered;
  TdxCpuidBit module_fact;
  bool can_be_1 = false;
  bool can_be_0 = false;
  /// The TDX module lets it be 1, and KVM shows it to no guest: only who names it gets it.
  bool beyond_kvm = false;
};

class TdCpu {
 public:
  /// Refers to `host`.
  TdCpu(const HostCapabilities& host, std::uint64_t xfam, std::uint64_t attributes)
      : host_(&host), xfam_(xfam), attributes_(attributes) {}

  TdCpuBit bit(const CpuidBit& bit) const;
  bool gates_open(const TdxCpuidBit& fact) const;
  /// All bits of a feature can be 1.
  bool can_have(const CpuMap::Feature& feature) const;
  /// Why the bit cannot be 1, or cannot be 0.
  std::string reason(const CpuidBit& bit) const;

 private:
  TdCpuBit of_module(const CpuidBit& bit, const TdxCpuidBit& fact) const;

  const HostCapabilities* host_;
  std::uint64_t xfam_;
  std::uint64_t attributes_;
};

/// Everything that a TD with the default attributes can have on `host`: what TdCpu::can_have() says with
/// every XFAM bit that the host offers.
FeatureNames td_features(const HostCapabilities& host, const CpuModelMap& map);

/// XFAM of a TD with `features` and no more state than they need, of what `host` offers.
std::uint64_t xfam_of(const FeatureNames& features, const HostCapabilities& host);

/// What a TD of a model with `features` cannot have on `host`: in itself, or because the model lacks the
/// feature that brings the state for it (libvirt's Icelake-Client has AVX-512 features, but not avx512f).
FeatureNames missing_in_td(const FeatureNames& features, const HostCapabilities& host,
                           const CpuModelMap& map);

/// Leaves of a running TD: the TDX module's as they are, those that KVM answers as KVM was told.
CpuidEntries seen_by_guest(const CpuidReport& report);

/// "CPUID.07H:EBX.hle [bit 4]" of the first of the feature's bits that cannot be 1.
std::string blocking_bit(const TdCpu& cpu, const CpuMap::Feature& feature);

}  // namespace virttdx::domain_xml
