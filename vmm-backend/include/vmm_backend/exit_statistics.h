// SPDX-License-Identifier: GPL-2.0-or-later
// What a TD's vCPUs came out of the guest for, and how long the monitor took over it: reply of the control
// command "trace" (schemas/control-protocol.json).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// Exits of one kind, of all vCPUs.
struct ExitCount {
  std::string reason;                    ///< KVM's name: "KVM_EXIT_IO"
  std::optional<std::string> td_vmcall;  ///< the GHCI's name of the call behind it: "Instruction.IO"
  std::optional<std::uint16_t> port;     ///< of KVM_EXIT_IO
  std::optional<std::uint64_t> gpa;      ///< the 4 KiB page, of KVM_EXIT_MMIO
  std::optional<bool> write;             ///< of KVM_EXIT_IO and KVM_EXIT_MMIO
  std::uint64_t count = 0;
  /// From KVM_RUN's return to the monitor being done with it.
  std::uint64_t total_ns = 0, maximum_ns = 0;
  /// [i]: how many took 2^i to 2^(i+1) - 1 ns ([0]: also 0 ns). The last one that is not 0 ends it.
  std::vector<std::uint64_t> histogram;
  bool operator==(const ExitCount&) const = default;
};

struct ExitStatistics {
  std::uint64_t elapsed_ns = 0;  ///< since tracing began
  /// Exits of further kinds, which are not in `exits`: guests choose ports and addresses, so there is a
  /// limit.
  std::uint64_t untold = 0;
  std::vector<ExitCount> exits;
  bool operator==(const ExitStatistics&) const = default;
};

namespace control_command {
inline constexpr std::string_view kTrace = "trace";
}  // namespace control_command

Result<ExitStatistics> exit_statistics_from_json(const nlohmann::json& json);
nlohmann::json exit_statistics_to_json(const ExitStatistics& statistics);

}  // namespace virttdx
