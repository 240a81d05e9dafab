// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "kvm/vcpu_exit.h"
#include "vmm_backend/hypervisor_statistics.h"

namespace virttdx {

/// Exits that reached the monitor, of each vCPU, by what they were for. Exits that end a TD are not counted.
class ExitCounts {
 public:
  explicit ExitCounts(std::uint32_t vcpu_count) : vcpus_(vcpu_count) {}

  /// On the vCPU's own thread; `vcpu` is below the count.
  void count(std::uint32_t vcpu, const VcpuExit& exit) {
    auto& counter = vcpus_[vcpu].counters[exit.index()];
    // Nobody else writes it: no locked instruction.
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  static const std::vector<StatisticColumn>& columns();
  /// A value for each of columns(). Any thread.
  std::vector<std::uint64_t> read(std::uint32_t vcpu) const;

 private:
  static constexpr std::size_t kCacheLine = 64;
  struct alignas(kCacheLine) PerVcpu {
    std::array<std::atomic<std::uint64_t>, std::variant_size_v<VcpuExit>> counters{};
  };
  std::vector<PerVcpu> vcpus_;
};

}  // namespace virttdx
