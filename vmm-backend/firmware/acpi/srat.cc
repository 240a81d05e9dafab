// SPDX-License-Identifier: GPL-2.0-or-later
// NUMA nodes: what belongs together (SRAT), and how far it is (SLIT).
#include "firmware/acpi/acpi_table.h"
#include "firmware/acpi/acpi_tables.h"

namespace virttdx {

using namespace acpi_spec;

namespace {

void add_processor(AcpiTable& table, std::uint32_t id, std::uint32_t node) {
  if (id < kX2apicIdsFrom) {
    // The node's upper 24 bits stand apart; nodes have 8.
    table.add(kApicAffinity).add(std::uint8_t{16});
    table.add(static_cast<std::uint8_t>(node)).add(static_cast<std::uint8_t>(id)).add(kAffinityEnabled);
    table.add(std::uint32_t{0}).add(std::uint32_t{0});
    return;
  }
  table.add(kX2apicAffinity).add(std::uint8_t{24}).add(std::uint16_t{0});
  table.add(node).add(id).add(kAffinityEnabled).add(std::uint32_t{0}).add(std::uint32_t{0});
}

void add_memory(AcpiTable& table, const GpaRange& range, std::uint32_t node) {
  table.add(kMemoryAffinity).add(std::uint8_t{40}).add(node).add(std::uint16_t{0});
  table.add(range.base().value).add(range.size()).add(std::uint32_t{0});
  table.add(kAffinityEnabled).add(std::uint64_t{0});
}

}  // namespace

std::vector<std::byte> build_srat(const AcpiInputs& inputs) {
  AcpiTable table("SRAT", kSratRevision);
  table.add(std::uint32_t{1}).add(std::uint64_t{0});
  for (std::uint32_t node = 0; node < inputs.numa_nodes.size(); ++node) {
    for (const auto vcpu : inputs.numa_nodes[node].vcpus)
      add_processor(table, inputs.x2apic_ids.at(vcpu), node);
    for (const auto& range : inputs.numa_nodes[node].memory) add_memory(table, range, node);
  }
  return std::move(table).finish();
}

std::vector<std::byte> build_slit(const AcpiInputs& inputs) {
  AcpiTable table("SLIT", kSlitRevision);
  table.add(std::uint64_t{inputs.numa_nodes.size()});
  for (const auto& node : inputs.numa_nodes) table.add(std::as_bytes(std::span(node.distances)));
  return std::move(table).finish();
}

}  // namespace virttdx
