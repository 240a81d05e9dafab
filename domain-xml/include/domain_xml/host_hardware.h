// SPDX-License-Identifier: GPL-2.0-or-later
// What `<capabilities>` says of a machine beside its HostDescription: what depends on what the kernel knows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain_xml/plan.h"

namespace virttdx::domain_xml {

/// Numbers of memory pages by their size in KiB, without the smallest, which have what is left.
using HugePages = std::map<std::uint64_t, std::uint64_t>;

struct CacheBank {
  std::uint32_t id = 0, level = 0;
  std::string type;  ///< both, code, data
  std::uint64_t size_kib = 0;
  std::string cpus;  ///< "0-3,8"
};

struct HostHardware {
  std::optional<std::uint32_t> microcode;
  bool iommu = false;
  std::uint32_t dies_per_socket = 1;
  std::map<std::uint32_t, std::uint32_t> die_of_cpu;  ///< by logical CPU; 0 for those that are not here
  /// By NUMA cell, as the kernel has them: 10 is a cell's own memory.
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint32_t>> distances;
  std::map<std::uint32_t, HugePages> pages;  ///< by NUMA cell
  std::vector<CacheBank> caches;             ///< each once
};

/// As the other, of a machine of which more is known.
std::string format_capabilities(const HostCapabilities& host, const HostDescription& description,
                                const HostHardware& hardware);

}  // namespace virttdx::domain_xml
