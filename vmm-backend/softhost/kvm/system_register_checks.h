// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "kvm/kvm_spec.h"

namespace virttdx::softhost {

class Vcpu;

/// What KVM_SET_SREGS takes of an ordinary VM's vCPU: control registers that a processor with the vCPU's
/// CPUID could hold, and long mode whole or not at all.
bool are_valid_system_registers(const Vcpu& vcpu, const kvm::kvm_sregs& registers);

}  // namespace virttdx::softhost
