// SPDX-License-Identifier: GPL-2.0-or-later
// https://libvirt.org/formatcaps.html
#include <algorithm>
#include <array>
#include <set>

#include "cpu/cpu_map.h"
#include "domain_xml/host_hardware.h"
#include "domain_xml/machine_name.h"
#include "domain_xml/plan.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint64_t kSmallPageKib = 4;

// Family and model as CPUID leaf 1 composes them (Intel SDM volume 2, CPUID).
void add_signature(xml::Element& cpu, std::uint32_t eax) {
  const auto family = eax >> 8 & 0xF;
  const auto model = eax >> 4 & 0xF;
  auto& signature = cpu.add_child("signature");
  signature.add_attribute("family", std::to_string(family == 0xF ? family + (eax >> 20 & 0xFF) : family));
  signature.add_attribute("model", std::to_string(model | (eax >> 16 & 0xF) << 4));
  signature.add_attribute("stepping", std::to_string(eax & 0xF));
}

void add_cpu_features(xml::Element& cpu, const HostCapabilities& host) {
  for (const auto& entry : host.supported_cpuid)
    for (const auto reg : kCpuidRegisters)
      for (std::uint8_t bit = 0; bit < 32; ++bit) {
        if ((entry.get(reg) >> bit & 1) == 0) continue;
        if (entry.function >> 28 == 4) continue;  // KVM's own leaves are no features of the CPU
        const auto name = CpuMap::installed().name_of({entry.function, entry.index, reg, bit});
        if (!name.empty()) cpu.add_child("feature").add_attribute("name", std::string(name));
      }
}

xml::Element& add_pages(xml::Element& parent, std::uint64_t size_kib) {
  auto& pages = parent.add_child("pages");
  pages.add_attribute("unit", "KiB");
  pages.add_attribute("size", std::to_string(size_kib));
  return pages;
}

std::set<std::uint64_t> page_sizes(const HostHardware& hardware) {
  std::set<std::uint64_t> sizes = {kSmallPageKib};
  for (const auto& [cell, pages] : hardware.pages)
    for (const auto& [size, count] : pages) sizes.insert(size);
  return sizes;
}

// The software host's CPU is one that it plays: no microcode of this machine runs on it.
void add_microcode(xml::Element& cpu, const HostCapabilities& host, const HostHardware& hardware) {
  if (host.kind == HostKind::Soft || !hardware.microcode) return;
  cpu.add_child("microcode").add_attribute("version", std::to_string(*hardware.microcode));
}

void add_cpu_topology(xml::Element& cpu, const HostDescription& description, std::uint32_t dies) {
  auto& topology = cpu.add_child("topology");
  topology.add_attribute("sockets", std::to_string(description.cpu_sockets));
  topology.add_attribute("dies", std::to_string(dies));
  topology.add_attribute("cores", std::to_string(std::max(description.cpu_cores / dies, 1U)));
  topology.add_attribute("threads", std::to_string(description.cpu_threads));
}

void add_cpu(xml::Element& parent, const HostCapabilities& host, const HostDescription& description,
             const HostHardware& hardware) {
  auto& cpu = parent.add_child("cpu");
  cpu.add_text("arch", "x86_64");
  const auto* identity = find_cpuid(host.supported_cpuid, 1, 0);
  if (identity != nullptr) {
    cpu.add_text("vendor", "Intel");
    add_microcode(cpu, host, hardware);
    add_signature(cpu, identity->eax);
  }
  if (host.tsc_khz != 0) {
    auto& counter = cpu.add_child("counter");
    counter.add_attribute("name", "tsc");
    counter.add_attribute("frequency", std::to_string(std::uint64_t{host.tsc_khz} * 1000));
    counter.add_attribute("scaling", "no");
  }
  add_cpu_topology(cpu, description, hardware.dies_per_socket);
  if (host.physical_address_bits != 0) {
    auto& bits = cpu.add_child("maxphysaddr");
    bits.add_attribute("mode", "emulate");
    bits.add_attribute("bits", std::to_string(host.physical_address_bits));
  }
  add_cpu_features(cpu, host);
  for (const auto size : page_sizes(hardware)) add_pages(cpu, size);
}

void add_memory(xml::Element& parent, std::string_view name, std::uint64_t kib) {
  auto& memory = parent.add_child(name);
  memory.add_attribute("unit", "KiB");
  memory.set_text(std::to_string(kib));
}

// Pages of the smallest size have the memory that larger ones do not.
void add_cell_pages(xml::Element& cell, std::uint64_t memory_kib, const HugePages& huge) {
  std::uint64_t small_kib = memory_kib;
  for (const auto& [size, count] : huge) small_kib -= std::min(small_kib, size * count);
  add_pages(cell, kSmallPageKib).set_text(std::to_string(small_kib / kSmallPageKib));
  for (const auto& [size, count] : huge) add_pages(cell, size).set_text(std::to_string(count));
}

void add_distances(xml::Element& cell, const std::map<std::uint32_t, std::uint32_t>& to) {
  auto& distances = cell.add_child("distances");
  for (const auto& [id, value] : to) {
    auto& sibling = distances.add_child("sibling");
    sibling.add_attribute("id", std::to_string(id));
    sibling.add_attribute("value", std::to_string(value));
  }
}

template <typename Map>
typename Map::mapped_type value_or_none(const Map& map, std::uint32_t key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type{} : found->second;
}

void add_cell(xml::Element& cells, const HostDescription::NumaCell& description,
              const HostHardware& hardware) {
  auto& cell = cells.add_child("cell");
  cell.add_attribute("id", std::to_string(description.id));
  add_memory(cell, "memory", description.memory_kib);
  add_cell_pages(cell, description.memory_kib, value_or_none(hardware.pages, description.id));
  if (const auto to = value_or_none(hardware.distances, description.id); !to.empty()) add_distances(cell, to);
  auto& cpus = cell.add_child("cpus");
  cpus.add_attribute("num", std::to_string(description.cpus.size()));
  for (const auto& logical : description.cpus) {
    auto& cpu = cpus.add_child("cpu");
    cpu.add_attribute("id", std::to_string(logical.id));
    cpu.add_attribute("socket_id", std::to_string(logical.socket_id));
    cpu.add_attribute("die_id", std::to_string(value_or_none(hardware.die_of_cpu, logical.id)));
    cpu.add_attribute("core_id", std::to_string(logical.core_id));
    cpu.add_attribute("siblings", logical.siblings);
  }
}

void add_topology(xml::Element& parent, const HostDescription& description, const HostHardware& hardware) {
  if (description.cells.empty()) return;
  auto& cells = parent.add_child("topology").add_child("cells");
  cells.add_attribute("num", std::to_string(description.cells.size()));
  for (const auto& cell : description.cells) add_cell(cells, cell, hardware);
}

// In the largest unit that divides the size.
void add_size(xml::Element& bank, std::uint64_t kib) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; unit + 1 < kUnits.size() && kib != 0 && kib % 1024 == 0; kib /= 1024) ++unit;
  bank.add_attribute("size", std::to_string(kib));
  bank.add_attribute("unit", kUnits.at(unit));
}

void add_caches(xml::Element& parent, const std::vector<CacheBank>& caches) {
  if (caches.empty()) return;
  auto& cache = parent.add_child("cache");
  for (const auto& description : caches) {
    auto& bank = cache.add_child("bank");
    bank.add_attribute("id", std::to_string(description.id));
    bank.add_attribute("level", std::to_string(description.level));
    bank.add_attribute("type", description.type);
    add_size(bank, description.size_kib);
    bank.add_attribute("cpus", description.cpus);
  }
}

void add_security_model(xml::Element& parent, std::string model) {
  auto& element = parent.add_child("secmodel");
  element.add_text("model", std::move(model));
  element.add_text("doi", "0");
}

void add_host(xml::Element& root, const HostCapabilities& host, const HostDescription& description,
              const HostHardware& hardware) {
  auto& element = root.add_child("host");
  if (!description.uuid.empty()) element.add_text("uuid", description.uuid);
  add_cpu(element, host, description, hardware);
  // Empty: no state that the host may be sent to, as that would end every TD.
  element.add_child("power_management");
  element.add_child("iommu").add_attribute("support", hardware.iommu ? "yes" : "no");
  add_topology(element, description, hardware);
  add_caches(element, hardware.caches);
  add_security_model(element, "none");
  if (host.kind == HostKind::Soft) add_security_model(element, "software-tdx-host: protects nothing");
}

void add_machine(xml::Element& arch, const HostCapabilities& host, std::string name,
                 std::string_view canonical) {
  auto& machine = arch.add_child("machine");
  if (!canonical.empty()) machine.add_attribute("canonical", std::string(canonical));
  machine.add_attribute("maxCpus", std::to_string(host.max_vcpus));
  machine.set_text(std::move(name));
}

void add_toggle(xml::Element& features, std::string_view name) {
  auto& feature = features.add_child(name);
  feature.add_attribute("default", "on");
  feature.add_attribute("toggle", "no");
}

// virt-install takes the first machine for its default.
void add_guest(xml::Element& root, const HostCapabilities& host, const HostDescription& description) {
  auto& guest = root.add_child("guest");
  guest.add_text("os_type", "hvm");
  auto& arch = guest.add_child("arch");
  arch.add_attribute("name", "x86_64");
  arch.add_text("wordsize", "64");
  if (!description.emulator_path.empty()) arch.add_text("emulator", description.emulator_path);
  add_machine(arch, host, "q35", kCanonicalMachine);
  add_machine(arch, host, std::string(kCanonicalMachine), {});
  arch.add_child("domain").add_attribute("type", "kvm");
  auto& features = guest.add_child("features");
  add_toggle(features, "acpi");
  add_toggle(features, "apic");
  features.add_child("cpuselection");
}

}  // namespace

std::string format_capabilities(const HostCapabilities& host, const HostDescription& description) {
  return format_capabilities(host, description, {});
}

std::string format_capabilities(const HostCapabilities& host, const HostDescription& description,
                                const HostHardware& hardware) {
  xml::Element root;
  root.name = "capabilities";
  add_host(root, host, description, hardware);
  add_guest(root, host, description);
  return xml::write_element(root);
}

}  // namespace virttdx::domain_xml
