// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "softhost/kvm/vm.h"

namespace virttdx::softhost {

/// KVM_GET_SUPPORTED_CPUID: the emulated processor's leaves and KVM's own at 0x40000000.
int get_supported_cpuid(HostParts& host, std::uintptr_t argument);

}  // namespace virttdx::softhost
