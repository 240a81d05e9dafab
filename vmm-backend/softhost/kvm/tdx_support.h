// SPDX-License-Identifier: GPL-2.0-or-later
// What KVM lets through of what the TDX module offers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/vm.h"
#include "softhost/module/tdx_module.h"

namespace virttdx::softhost {

/// ATTRIBUTES that KVM_TDX_INIT_VM takes.
std::uint64_t supported_attributes(const HostParts& host);

/// The module's CPUID_CONFIG as KVM_TDX_CAPABILITIES lists it.
std::vector<kvm::kvm_cpuid_entry2> configurable_cpuid(const TdxModule& module);

/// Features that KVM does not let a TD have: HLE, RTM and WAITPKG.
bool has_unsupported_cpuid_bit(const kvm::kvm_cpuid_entry2& entry);

/// The entry that answers for a leaf and index, with KVM's rule for insignificant indexes; null: none.
const kvm::kvm_cpuid_entry2* find_cpuid_entry(std::span<const kvm::kvm_cpuid_entry2> entries,
                                              std::uint32_t function, std::uint32_t index);

}  // namespace virttdx::softhost
