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
  /// `<device>`: limits of what a domain does to one block device of the host.
  struct Device {
    std::string path;
    std::optional<std::uint64_t> weight;  ///< 1 to 10000
    std::optional<std::uint64_t> read_iops_sec, write_iops_sec, read_bytes_sec, write_bytes_sec;
    bool operator==(const Device&) const = default;
  };
  std::vector<Device> devices;  ///< each path once
  bool operator==(const BlkioTune&) const = default;
};

/// `<numatune>`: `<memory>` and each `<memnode>`.
struct NumaTune {
  std::optional<std::string> mode;  ///< strict, preferred, interleave, restrictive
  std::optional<std::string> nodeset;
  std::optional<std::string> placement;  ///< static, auto
  struct CellMemory {
    std::uint32_t cell = 0;
    std::optional<std::string> mode;
    std::string nodeset;
    bool operator==(const CellMemory&) const = default;
  };
  std::vector<CellMemory> cells;  ///< in order of their numbers, each once
  bool operator==(const NumaTune&) const = default;
};

/// The one policy that all of a TD's memory can have, as guest_memfd's pages follow that of the thread that
/// needs them: mode of `<memory>` or else of the first `<memnode>`, and the nodes of all of them. No nodeset:
/// none.
struct MemoryPolicyAsked {
  std::string mode = "strict";
  std::optional<std::string> nodeset;
};
MemoryPolicyAsked memory_policy_of(const NumaTune& tune);

/// Of `<resource>`, and what it is without one: libvirt's default.
inline constexpr std::string_view kDefaultPartition = "/machine";

struct Tuning {
  std::optional<BlkioTune> blkio;
  std::optional<MemoryTune> memory;
  std::optional<CpuTune> cpu;
  std::optional<NumaTune> numa;
  bool operator==(const Tuning&) const = default;
};

}  // namespace virttdx::domain_xml
