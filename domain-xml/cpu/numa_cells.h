// SPDX-License-Identifier: GPL-2.0-or-later
// `<numa>` of `<cpu>` as values. libvirt's rules (https://libvirt.org/formatdomain.html, "Guest NUMA
// topology").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {

struct NumaCell {
  std::vector<bool> vcpus{};  ///< by number; may be shorter than there are vCPUs
  std::uint64_t memory_kib = 0;
  std::map<std::uint32_t, std::uint32_t> distances{};  ///< to other cells, as written
  int line = 0;
};

/// The cells in the order of their ids; none without `<numa>`. XmlInvalid with the line: ids that stand twice
/// or are not 0, 1, 2 ..., vCPUs that stand twice or are not there, distances to no cell or outside 10 to
/// 255.
Result<std::vector<NumaCell>> numa_cells(const Domain& domain);

/// Between every two cells, 10 to the cell itself, 20 where nothing is written in either direction; nothing
/// when no cell has any. libvirt's defaults.
std::vector<std::vector<std::uint8_t>> distances_of(const std::vector<NumaCell>& cells);

/// Makes `<memory>` the sum of the cells', and `<currentMemory>` no more than that. Errors: numa_cells()'s; a
/// `<memnode>` of no cell.
Result<> complete_numa(Domain& domain);

}  // namespace virttdx::domain_xml
