// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID of one vCPU of a TD.
#pragma once

#include <cstdint>

#include "vmm_backend/vm_config.h"

namespace virttdx {

/// What every vCPU gets, with this vCPU's x2APIC id in leaves 1, 0xB and 0x1F (Intel
/// SDM volume 2, CPUID).
CpuidEntries cpuid_of_vcpu(const CpuidEntries& common, std::uint32_t x2apic_id);

/// Leaves of `other`, a vCPU's KVM_TDX_GET_CPUID, that are not as vCPU 0's `first` in more than the x2APIC
/// id.
CpuidEntries deviating_leaves(const CpuidEntries& first, const CpuidEntries& other);

/// Guest-physical address width, 0x80000008.EAX[23:16] of INIT_VM's entries; 0 when there is no such entry.
std::uint32_t gpaw_of(const CpuidEntries& entries);

}  // namespace virttdx
