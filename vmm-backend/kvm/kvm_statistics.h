// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "kvm/kernel_fd.h"
#include "support/result.h"
#include "vmm_backend/hypervisor_statistics.h"

namespace virttdx {

/// What KVM counts of one VM or one vCPU. Keeps the VM alive. Any thread, also while the vCPU runs.
class KvmStatistics {
 public:
  /// Reads which statistics there are; histograms are left out. `fd` comes from KVM_GET_STATS_FD. Error:
  /// InvalidData when it is no such file.
  static Result<KvmStatistics> open(KernelFd fd);

  const std::vector<StatisticColumn>& columns() const { return columns_; }
  /// A value for each column.
  Result<std::vector<std::uint64_t>> read() const;

 private:
  KvmStatistics(KernelFd fd, std::uint64_t data_offset) : fd_(std::move(fd)), data_offset_(data_offset) {}

  KernelFd fd_;
  std::uint64_t data_offset_;
  std::size_t data_size_ = 0;
  std::vector<StatisticColumn> columns_;
  std::vector<std::uint32_t> offsets_;  ///< of each column's value in the data
};

}  // namespace virttdx
