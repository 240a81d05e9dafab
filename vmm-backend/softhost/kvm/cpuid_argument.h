// SPDX-License-Identifier: GPL-2.0-or-later
// struct kvm_cpuid2 in the caller's memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kvm/kvm_spec.h"

namespace virttdx::softhost {

/// Reads `count` entries at `address`: 0, -E2BIG above KVM's limit, -EFAULT.
int read_cpuid_entries(std::uintptr_t address, std::uint32_t count,
                       std::vector<kvm::kvm_cpuid_entry2>& entries);

/// Writes a struct kvm_cpuid2 whose nent says how many entries there is room for: 0, -EFAULT, or -E2BIG, then
/// with nent set to what is needed if `tell_count`.
int write_cpuid_entries(std::uintptr_t address, std::span<const kvm::kvm_cpuid_entry2> entries,
                        bool tell_count);

}  // namespace virttdx::softhost
