// SPDX-License-Identifier: GPL-2.0-or-later
// The two CPUID tables of a launch.
#pragma once

#include <cstdint>

#include "cpu/cpu_map.h"
#include "vmm_backend/host_capabilities.h"

namespace virttdx::domain_xml {

/// What the host's own CPU model shows to guests, before features and topology: KVM's supported CPUID, with
/// the TSC leaf (the host's frequency) and KVM's own leaves as a TD may have them.
CpuidEntries host_cpuid(const HostCapabilities& host);

/// Makes leaf 0x15 tell a TSC frequency.
void set_tsc_frequency(CpuidEntries& entries, std::uint32_t tsc_khz);

/// What a TD may have of KVM's feature leaf's register with `bit`; 0 in other leaves.
std::uint32_t allowed_kvm_features(const HostCapabilities& host, const CpuidBit& bit);

/// Puts the width of guest-physical addresses, 48 or 52, into 0x80000008.EAX[23:16].
void set_gpaw(CpuidEntries& entries, std::uint32_t gpaw);

/// The entries for KVM_TDX_INIT_VM: the leaves that the host lists as configurable and no other, each masked
/// by what can be configured.
CpuidEntries init_vm_cpuid(const HostCapabilities& host, const CpuidEntries& wanted);

}  // namespace virttdx::domain_xml
