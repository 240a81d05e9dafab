// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_GET_STATS_FD: statistics as a file (Linux Documentation/virt/kvm/api.rst, 4.133).
#pragma once

#include <memory>

namespace virttdx::softhost {

class Vcpu;
class Vm;

// A new descriptor, or -errno. It keeps the VM alive.
int create_vm_statistics(const std::shared_ptr<Vm>& vm);
int create_vcpu_statistics(const std::shared_ptr<Vm>& vm, const Vcpu& vcpu);

}  // namespace virttdx::softhost
