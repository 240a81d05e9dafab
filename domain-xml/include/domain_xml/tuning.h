// SPDX-License-Identifier: GPL-2.0-or-later
// `<cputune>`, `<memtune>`, `<blkiotune>`, `<numatune>`: what share of the host a domain gets and where it
// runs. libvirt's words (https://libvirt.org/formatdomain.html).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx::domain_xml {

/// A set of host CPUs or NUMA nodes as libvirt writes it: "0-3,8"; "^2" takes away. Canonical in Domain.
/// XmlInvalid: not such a set, empty, or a number above 16383.
Result<std::vector<bool>> parse_cpuset(std::string_view text);
std::string format_cpuset(const std::vector<bool>& cpus);

struct CpuPin {
  std::uint32_t vcpu = 0;
  std::string cpuset;
  bool operator==(const CpuPin&) const = default;
};

/// Times in microseconds; a quota below 0 means none.
struct CpuTune {
  std::optional<std::uint64_t> shares;
  std::optional<std::uint64_t> period, global_period, emulator_period;
  std::optional<std::int64_t> quota, global_quota, emulator_quota;
  std::vector<CpuPin> vcpu_pins;  ///< in order of vCPUs, each once
  std::optional<std::string> emulator_cpuset;
  bool operator==(const CpuTune&) const = default;
};

/// In KiB.
struct MemoryTune {
  std::optional<std::uint64_t> hard_limit, soft_limit, swap_hard_limit;
  bool operator==(const MemoryTune&) const = default;
};

struct BlkioTune {
  std::optional<std::uint32_t> weight;
  bool operator==(const BlkioTune&) const = default;
};

/// `<memory>` of `<numatune>`.
struct NumaTune {
  std::optional<std::string> mode;  ///< strict, preferred, interleave, restrictive
  std::optional<std::string> nodeset;
  std::optional<std::string> placement;  ///< static, auto
  bool operator==(const NumaTune&) const = default;
};

struct Tuning {
  std::optional<BlkioTune> blkio;
  std::optional<MemoryTune> memory;
  std::optional<CpuTune> cpu;
  std::optional<NumaTune> numa;
  bool operator==(const Tuning&) const = default;
};

}  // namespace virttdx::domain_xml
