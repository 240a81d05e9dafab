// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID of one vCPU of a TD, and checks of what INIT_VM will be given.
#pragma once

#include <cstdint>

#include "support/result.h"
#include "tdx/capabilities.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// What every vCPU gets, with this vCPU's x2APIC id (which is its number) in leaves 1, 0xB and 0x1F (Intel
/// SDM volume 2, CPUID).
CpuidEntries cpuid_of_vcpu(const CpuidEntries& common, std::uint32_t vcpu);

/// Guest-physical address width, 0x80000008.EAX[23:16] of INIT_VM's entries; 0 when there is no such entry.
std::uint32_t gpaw_of(const CpuidEntries& entries);

/// Says which bit of `td` the host's KVM_TDX_INIT_VM would refuse: KVM itself answers EINVAL to all of them.
Result<> check_td_config(const TdConfig& td, const TdxCapabilities& host);

}  // namespace virttdx
