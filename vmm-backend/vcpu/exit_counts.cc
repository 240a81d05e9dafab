// SPDX-License-Identifier: GPL-2.0-or-later
#include "vcpu/exit_counts.h"

#include <string_view>

namespace virttdx {
namespace {

/// Index of an alternative of VcpuExit.
template <typename Exit, std::size_t I = 0>
constexpr std::size_t index_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, VcpuExit>, Exit>)
    return I;
  else
    return index_of<Exit, I + 1>();
}

struct Row {
  std::string_view name;
  std::size_t index;
};
constexpr std::array kRows = {Row{"kvm_exit_io", index_of<IoExit>()},
                              Row{"kvm_exit_mmio", index_of<MmioExit>()},
                              Row{"kvm_exit_hypercall", index_of<HypercallExit>()},
                              Row{"kvm_exit_memory_fault", index_of<MemoryFaultExit>()},
                              Row{"kvm_exit_tdx", index_of<TdxExit>()},
                              Row{"kvm_exit_intr", index_of<InterruptedExit>()}};

}  // namespace

const std::vector<StatisticColumn>& ExitCounts::columns() {
  static const auto columns = [] {
    std::vector<StatisticColumn> made;
    made.reserve(kRows.size());
    for (const Row& row : kRows) made.push_back({std::string(row.name), StatisticKind::Sum, false});
    return made;
  }();
  return columns;
}

std::vector<std::uint64_t> ExitCounts::read(std::uint32_t vcpu) const {
  std::vector<std::uint64_t> values;
  values.reserve(kRows.size());
  for (const Row& row : kRows)
    values.push_back(vcpus_[vcpu].counters[row.index].load(std::memory_order_relaxed));
  return values;
}

}  // namespace virttdx
