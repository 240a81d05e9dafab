// SPDX-License-Identifier: GPL-2.0-or-later
// What KVM and the monitor count of a VM and of its vCPUs: reply of the control command
// "hypervisor-statistics" (schemas/control-protocol.json).
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// Which of KVM's types a statistic has (Linux Documentation/virt/kvm/api.rst, 4.133): counted up, read now,
/// or the highest so far.
enum class StatisticKind : std::uint8_t { Sum, Current, Peak };

struct StatisticColumn {
  std::string name;
  StatisticKind kind = StatisticKind::Sum;
  bool is_boolean = false;
  bool operator==(const StatisticColumn&) const = default;
};

/// Far above what any KVM has: readers refuse more.
inline constexpr std::size_t kStatisticColumnsMaximum = 256;

/// Each row has a value for each column.
struct StatisticTable {
  std::vector<StatisticColumn> columns;
  std::vector<std::vector<std::uint64_t>> rows;
  bool operator==(const StatisticTable&) const = default;
};

/// Counted since the monitor began. Names are those of the host's KVM, which differ between kernels, and for
/// vCPUs "kvm_exit_io" and so on: exits that reached the monitor, by KVM_EXIT_IO and so on.
struct HypervisorStatistics {
  StatisticTable vm;     ///< one row, or none
  StatisticTable vcpus;  ///< a row for each vCPU, in the order of their ids
  bool operator==(const HypervisorStatistics&) const = default;
};

namespace control_command {
inline constexpr std::string_view kHypervisorStatistics = "hypervisor-statistics";
}  // namespace control_command

/// Error: InvalidData, also when a row has not as many values as there are columns, or these are too many.
Result<HypervisorStatistics> hypervisor_statistics_from_json(const nlohmann::json& json);
nlohmann::json hypervisor_statistics_to_json(const HypervisorStatistics& statistics);

}  // namespace virttdx
