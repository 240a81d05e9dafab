// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_statistics.h"

namespace virttdx {

Result<TdStatistics> TdStatistics::open(const KvmVm& vm, const std::vector<KvmVcpu>& vcpus) {
  TdStatistics statistics;
  statistics.vcpu_count_ = vcpus.size();
  if (vm.check_extension(kvm::KVM_CAP_BINARY_STATS_FD) == 0) return statistics;
  statistics.vm_ = TRY(KvmStatistics::open(TRY(vm.statistics_fd())));
  for (const KvmVcpu& vcpu : vcpus)
    statistics.vcpus_.push_back(TRY(KvmStatistics::open(TRY(vcpu.statistics_fd()))));
  return statistics;
}

Result<HypervisorStatistics> TdStatistics::read() const {
  HypervisorStatistics statistics;
  statistics.vcpus.rows.resize(vcpu_count_);
  if (!vm_) return statistics;
  statistics.vm.columns = vm_->columns();
  statistics.vm.rows.push_back(TRY(vm_->read()));
  statistics.vcpus.columns = vcpus_.front().columns();  // KVM counts the same of all
  for (std::size_t i = 0; i < vcpu_count_; ++i) statistics.vcpus.rows[i] = TRY(vcpus_[i].read());
  return statistics;
}

}  // namespace virttdx
