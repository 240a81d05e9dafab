// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "kvm/kvm.h"
#include "kvm/kvm_statistics.h"
#include "support/result.h"
#include "vmm_backend/hypervisor_statistics.h"

namespace virttdx {

/// What KVM counts of a TD and of its vCPUs. Goes before they do. Any thread.
class TdStatistics {
 public:
  /// Empty where KVM has no binary statistics. Before any vCPU runs: KVM would wait for it to come back.
  static Result<TdStatistics> open(const KvmVm& vm, const std::vector<KvmVcpu>& vcpus);

  /// A row for each vCPU, of no columns where KVM has no statistics.
  Result<HypervisorStatistics> read() const;

 private:
  std::optional<KvmStatistics> vm_;
  std::vector<KvmStatistics> vcpus_;
  std::size_t vcpu_count_ = 0;
};

}  // namespace virttdx
