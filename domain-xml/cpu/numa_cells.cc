// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/numa_cells.h"

#include <algorithm>
#include <charconv>

#include "domain_xml/tuning.h"
#include "elements/elements.h"
#include "elements/shape.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kLocalDistance = 10, kRemoteDistance = 20, kUnreachable = 255;

template <typename... Args>
tl::unexpected<Error> wrong(int line, fmt::format_string<Args...> format, Args&&... args) {
  return fail(Error::Code::XmlInvalid, "line {}: {}", line, fmt::format(format, std::forward<Args>(args)...));
}

const OtherElement* find_numa(const Domain& domain) {
  if (!domain.cpu) return nullptr;
  const auto found = std::ranges::find(domain.cpu->others, "numa", &OtherElement::element);
  return found == domain.cpu->others.end() ? nullptr : &*found;
}

/// Of an attribute whose spelling its shape has checked.
std::optional<std::uint32_t> number_at(const xml::Element& element, std::string_view name) {
  const auto* const attribute = element.attribute(name);
  std::uint32_t number = 0;
  if (attribute == nullptr) return std::nullopt;
  const auto& text = attribute->value;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() ? std::optional(number) : std::nullopt;
}

Result<std::vector<bool>> read_vcpus(const xml::Element& element, std::uint32_t vcpus, int line) {
  const auto* const attribute = element.attribute("cpus");
  if (attribute == nullptr) return std::vector<bool>();
  auto set = parse_cpuset(attribute->value);
  if (!set) return wrong(line, "cpus='{}' of a <cell>: {}", attribute->value, set.error().message());
  if (set->size() > vcpus)
    return wrong(line, "cpus='{}' of a <cell> has vCPU {}, and the domain has {}", attribute->value,
                 set->size() - 1, vcpus);
  return *std::move(set);
}

Result<std::map<std::uint32_t, std::uint32_t>> read_distances(const xml::Element& element,
                                                              std::uint32_t own_id, std::size_t cells,
                                                              int line) {
  std::map<std::uint32_t, std::uint32_t> distances;
  const auto* const list = element.child("distances");
  if (list == nullptr) return distances;
  for (const auto& sibling : list->children) {
    const std::uint32_t id = number_at(sibling, "id").value_or(kUnreachable + 1);
    const std::uint32_t value = number_at(sibling, "value").value_or(0);
    if (id >= cells) return wrong(line, "<sibling id='{}'>: there are {} cells", id, cells);
    if (value < kLocalDistance || value > kUnreachable || (id == own_id) != (value == kLocalDistance))
      return wrong(line, "distance {} of cell {} to cell {}: {} to itself, above it to {} to others", value,
                   own_id, id, kLocalDistance, kUnreachable);
    distances[id] = value;
  }
  return distances;
}

bool share_a_vcpu(const std::vector<bool>& one, const std::vector<bool>& other) {
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i)
    if (one[i] && other[i]) return true;
  return false;
}

/// The first number that no cell has yet.
std::uint32_t free_id(const std::vector<std::optional<NumaCell>>& cells) {
  const auto found = std::ranges::find_if(cells, [](const auto& cell) { return !cell.has_value(); });
  return static_cast<std::uint32_t>(found - cells.begin());
}

Result<NumaCell> read_cell(const xml::Element& element, const Domain& domain, std::uint32_t id,
                           std::size_t cells, int line) {
  NumaCell cell{.line = line};
  const auto* const memory = element.attribute("memory");
  CHECK(memory != nullptr);  // its shape requires it, and has made it KiB
  cell.memory_kib = TRY(scaled_kib(memory->value, "KiB"));
  cell.vcpus = TRY(read_vcpus(element, domain.vcpus, line));
  cell.distances = TRY(read_distances(element, id, cells, line));
  return cell;
}

}  // namespace

Result<std::vector<NumaCell>> numa_cells(const Domain& domain) {
  const auto* const numa = find_numa(domain);
  if (numa == nullptr) return std::vector<NumaCell>();
  const auto tree = parsed(*numa);
  const int line = numa->line.number;
  std::vector<std::optional<NumaCell>> by_id(tree.children.size());
  for (const auto& element : tree.children) {
    const std::uint32_t id = number_at(element, "id").value_or(free_id(by_id));
    if (id >= by_id.size())
      return wrong(line, "<cell id='{}'>: {} cells have the ids 0 to {}", id, by_id.size(), by_id.size() - 1);
    if (by_id[id]) return wrong(line, "more than one <cell id='{}'>", id);
    const auto cell = TRY(read_cell(element, domain, id, by_id.size(), line));
    for (std::size_t other = 0; other < by_id.size(); ++other)
      if (by_id[other] && share_a_vcpu(by_id[other]->vcpus, cell.vcpus))
        return wrong(line, "cells {} and {} have a vCPU in common", other, id);
    by_id[id] = cell;
  }
  std::vector<NumaCell> cells;
  for (auto& cell : by_id) cells.push_back(*std::move(cell));
  return cells;
}

std::vector<std::vector<std::uint8_t>> distances_of(const std::vector<NumaCell>& cells) {
  if (std::ranges::all_of(cells, [](const NumaCell& cell) { return cell.distances.empty(); })) return {};
  std::vector<std::vector<std::uint8_t>> rows(cells.size(), std::vector<std::uint8_t>(cells.size()));
  const auto written = [&](std::size_t from, std::size_t to) -> std::optional<std::uint32_t> {
    const auto found = cells[from].distances.find(static_cast<std::uint32_t>(to));
    return found == cells[from].distances.end() ? std::nullopt : std::optional(found->second);
  };
  for (std::size_t from = 0; from < cells.size(); ++from)
    for (std::size_t to = 0; to < cells.size(); ++to) {
      const auto otherwise = from == to ? kLocalDistance : written(to, from).value_or(kRemoteDistance);
      rows[from][to] = static_cast<std::uint8_t>(written(from, to).value_or(otherwise));
    }
  return rows;
}

Result<> complete_numa(Domain& domain) {
  const auto cells = TRY(numa_cells(domain));
  if (domain.tuning.numa)
    for (const auto& memory : domain.tuning.numa->cells)
      if (memory.cell >= cells.size())
        return wrong(domain.lines.of("/domain/numatune/memnode"), "<memnode cellid='{}'>: there are {} cells",
                     memory.cell, cells.size());
  if (cells.empty()) return {};
  std::uint64_t kib = 0;
  for (const auto& cell : cells)
    if (__builtin_add_overflow(kib, cell.memory_kib, &kib))
      return wrong(cell.line, "the cells' memory goes beyond 64 bits");
  if (kib == 0) return wrong(cells.front().line, "the cells have no memory");
  domain.memory_kib = kib;
  if (domain.current_memory_kib.value_or(kib) > kib) domain.current_memory_kib = kib;
  return {};
}

}  // namespace virttdx::domain_xml
