// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/soft_host.h"

#include <utility>

#include "softhost/cpu/cpu_engine.h"
#include "softhost/kvm/host_profile.h"
#include "softhost/kvm/kvm_model.h"

namespace virttdx::softhost {

std::unique_ptr<SoftHost> create_soft_host(std::vector<SoftFault> faults) {
  return create_kvm_model({.cpuid = native_cpuid, .create_engine = create_cpu_engine}, std::move(faults));
}

Result<std::unique_ptr<SoftHost>> create_soft_host_playing(const HostCapabilities& profile,
                                                           std::vector<SoftFault> faults) {
  auto processor = TRY(play_host(profile));
  processor.create_engine = create_cpu_engine;
  return create_kvm_model(std::move(processor), std::move(faults));
}

}  // namespace virttdx::softhost
