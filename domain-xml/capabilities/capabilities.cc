// SPDX-License-Identifier: GPL-2.0-or-later
// https://libvirt.org/formatcaps.html
#include "cpu/cpu_map.h"
#include "domain_xml/plan.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

void add_text(xml::Element& parent, std::string_view name, std::string text) {
  parent.add_child(name).set_text(std::move(text));
}

// Family and model as CPUID leaf 1 composes them (Intel SDM volume 2, CPUID).
void add_signature(xml::Element& cpu, std::uint32_t eax) {
  const auto family = eax >> 8 & 0xF;
  const auto model = eax >> 4 & 0xF;
  auto& signature = cpu.add_child("signature");
  signature.add_attribute("family", std::to_string(family == 0xF ? family + (eax >> 20 & 0xFF) : family));
  signature.add_attribute("model", std::to_string(model | (eax >> 16 & 0xF) << 4));
  signature.add_attribute("stepping", std::to_string(eax & 0xF));
}

void add_features(xml::Element& cpu, const HostCapabilities& host) {
  for (const auto& entry : host.supported_cpuid)
    for (const auto reg : kCpuidRegisters)
      for (std::uint8_t bit = 0; bit < 32; ++bit) {
        if ((entry.get(reg) >> bit & 1) == 0) continue;
        if (entry.function >> 28 == 4) continue;  // KVM's own leaves are no features of the CPU
        const auto name = CpuMap::installed().name_of({entry.function, entry.index, reg, bit});
        if (!name.empty()) cpu.add_child("feature").add_attribute("name", std::string(name));
      }
}

void add_cpu(xml::Element& parent, const HostCapabilities& host, const HostDescription& description) {
  auto& cpu = parent.add_child("cpu");
  add_text(cpu, "arch", "x86_64");
  const auto* identity = find_cpuid(host.supported_cpuid, 1, 0);
  if (identity != nullptr) {
    add_text(cpu, "vendor", "Intel");
    add_signature(cpu, identity->eax);
  }
  if (host.tsc_khz != 0) {
    auto& counter = cpu.add_child("counter");
    counter.add_attribute("name", "tsc");
    counter.add_attribute("frequency", std::to_string(std::uint64_t{host.tsc_khz} * 1000));
    counter.add_attribute("scaling", "no");
  }
  auto& topology = cpu.add_child("topology");
  topology.add_attribute("sockets", std::to_string(description.cpu_sockets));
  topology.add_attribute("dies", "1");
  topology.add_attribute("cores", std::to_string(description.cpu_cores));
  topology.add_attribute("threads", std::to_string(description.cpu_threads));
  if (host.physical_address_bits != 0) {
    auto& bits = cpu.add_child("maxphysaddr");
    bits.add_attribute("mode", "emulate");
    bits.add_attribute("bits", std::to_string(host.physical_address_bits));
  }
  add_features(cpu, host);
  auto& pages = cpu.add_child("pages");
  pages.add_attribute("unit", "KiB");
  pages.add_attribute("size", "4");
}

void add_memory(xml::Element& parent, std::string_view name, std::uint64_t kib) {
  auto& memory = parent.add_child(name);
  memory.add_attribute("unit", "KiB");
  memory.set_text(std::to_string(kib));
}

void add_cell(xml::Element& cells, const HostDescription::NumaCell& description) {
  auto& cell = cells.add_child("cell");
  cell.add_attribute("id", std::to_string(description.id));
  add_memory(cell, "memory", description.memory_kib);
  auto& pages = cell.add_child("pages");
  pages.add_attribute("unit", "KiB");
  pages.add_attribute("size", "4");
  pages.set_text(std::to_string(description.memory_kib / 4));
  auto& cpus = cell.add_child("cpus");
  cpus.add_attribute("num", std::to_string(description.cpus.size()));
  for (const auto& logical : description.cpus) {
    auto& cpu = cpus.add_child("cpu");
    cpu.add_attribute("id", std::to_string(logical.id));
    cpu.add_attribute("socket_id", std::to_string(logical.socket_id));
    cpu.add_attribute("die_id", "0");
    cpu.add_attribute("core_id", std::to_string(logical.core_id));
    cpu.add_attribute("siblings", logical.siblings);
  }
}

void add_topology(xml::Element& parent, const HostDescription& description) {
  if (description.cells.empty()) return;
  auto& cells = parent.add_child("topology").add_child("cells");
  cells.add_attribute("num", std::to_string(description.cells.size()));
  for (const auto& cell : description.cells) add_cell(cells, cell);
}

void add_security_model(xml::Element& parent, std::string model) {
  auto& element = parent.add_child("secmodel");
  add_text(element, "model", std::move(model));
  add_text(element, "doi", "0");
}

void add_host(xml::Element& root, const HostCapabilities& host, const HostDescription& description) {
  auto& element = root.add_child("host");
  if (!description.uuid.empty()) add_text(element, "uuid", description.uuid);
  add_cpu(element, host, description);
  element.add_child("power_management");
  element.add_child("iommu").add_attribute("support", "no");
  add_topology(element, description);
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
  add_text(guest, "os_type", "hvm");
  auto& arch = guest.add_child("arch");
  arch.add_attribute("name", "x86_64");
  add_text(arch, "wordsize", "64");
  if (!description.emulator_path.empty()) add_text(arch, "emulator", description.emulator_path);
  add_machine(arch, host, "q35", "pc-q35-virttdx");
  add_machine(arch, host, "pc-q35-virttdx", {});
  arch.add_child("domain").add_attribute("type", "kvm");
  auto& features = guest.add_child("features");
  add_toggle(features, "acpi");
  add_toggle(features, "apic");
  features.add_child("cpuselection");
}

}  // namespace

std::string format_capabilities(const HostCapabilities& host, const HostDescription& description) {
  xml::Element root;
  root.name = "capabilities";
  add_host(root, host, description);
  add_guest(root, host, description);
  return xml::write_element(root);
}

}  // namespace virttdx::domain_xml
