// SPDX-License-Identifier: GPL-2.0-or-later
// `<cpu>` to XFAM and CPUID.
#include "plan/cpu_features.h"
#include "plan/cpu_topology.h"
#include "plan/cpuid_leaves.h"
#include "plan/planning.h"
#include "plan/xfam.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::uint32_t kGpaw48 = 48, kGpaw52 = 52;
// RAM that the PCI hole below 4 GiB displaces ends at most this far above its size.
constexpr std::uint64_t kHoleMaximum = std::uint64_t{4} << 30;

void refuse_models(Planning& planning, const Cpu& cpu) {
  const auto mode = cpu.mode.value_or("host-passthrough");
  const std::string remedy = "use <cpu mode='host-passthrough'> or mode='maximum', with <feature> elements";
  if (mode == "host-model" || mode == "custom")
    planning.error(
        "cpu-mode-not-offered", "/domain/cpu",
        fmt::format("CPU mode '{}' is not offered for a TD: named models are not mapped to what the TDX "
                    "module fixes",
                    mode),
        remedy);
  else if (cpu.model || cpu.vendor || cpu.vendor_id)
    planning.error(
        "cpu-model-not-offered", "/domain/cpu/model",
        fmt::format("CPU mode '{}' takes no model, vendor or vendor_id: the TDX module shows the physical "
                    "CPU's",
                    mode),
        "remove <model> and <vendor>");
}

void check_physical_address_bits(Planning& planning, const Cpu& cpu) {
  if (cpu.maxphysaddr_bits.value_or(planning.host.physical_address_bits) ==
      planning.host.physical_address_bits)
    return;
  planning.error("cpu-maxphysaddr", "/domain/cpu/maxphysaddr",
                 fmt::format("maxphysaddr bits='{}': a TD's must be the host's", *cpu.maxphysaddr_bits),
                 fmt::format("use mode='passthrough', or bits='{}'", planning.host.physical_address_bits));
}

void check_topology(Planning& planning, const CpuTopology& topology) {
  const auto vcpus = planning.domain.vcpus;
  const auto describe = fmt::format("topology of {} sockets, {} dies, {} cores, {} threads", topology.sockets,
                                    topology.dies, topology.cores, topology.threads);
  // Four 32-bit factors: a product of two never overflows, so it is compared step by step.
  std::uint64_t product = 1;
  for (const std::uint64_t factor : {topology.sockets, topology.dies, topology.cores, topology.threads})
    product = product > vcpus ? product : product * factor;
  if (product != vcpus)
    planning.error("cpu-topology", "/domain/cpu/topology",
                   fmt::format("{} does not make {} vCPUs", describe, vcpus),
                   "make their product the number of vCPUs");
  else if (!has_contiguous_ids(topology))
    planning.error("cpu-topology-ids", "/domain/cpu/topology",
                   fmt::format("{} leaves gaps in the x2APIC ids, which are the vCPUs' numbers", describe),
                   "use powers of two for every level below the highest");
}

// 47 bits of private addresses do for all but the largest.
std::uint32_t plan_gpaw(Planning& planning) {
  const auto top = planning.plan.config.memory_bytes + kHoleMaximum;
  if (top <= std::uint64_t{1} << (kGpaw48 - 1)) return kGpaw48;
  if (planning.host.five_level_ept) return kGpaw52;
  planning.error(
      "memory-above-gpaw", "/domain/memory",
      fmt::format("{} MiB of memory need 52-bit guest-physical addresses, and this host has no 5-level EPT",
                  planning.plan.config.memory_bytes >> 20),
      "use at most 130000000 MiB");
  return kGpaw48;
}

}  // namespace

void plan_cpu(Planning& planning) {
  const auto cpu = planning.domain.cpu.value_or(Cpu());
  const auto& host = planning.host;
  auto& td = planning.plan.config.td;
  refuse_models(planning, cpu);
  check_physical_address_bits(planning, cpu);
  td.xfam = valid_xfam(host.supported_xfam);
  auto wanted = host_cpuid(host, host.tsc_khz);
  plan_cpu_features(planning, cpu, wanted);
  close_gates(wanted, td.xfam, td.attributes);
  const auto topology = topology_of(cpu, planning.domain.vcpus);
  const auto errors_before = planning.plan.findings.size();
  check_topology(planning, topology);
  if (planning.plan.findings.size() == errors_before) apply_topology(wanted, topology);
  set_gpaw(wanted, plan_gpaw(planning));
  td.cpuid = init_vm_cpuid(host, wanted);
  td.vcpu_cpuid = std::move(wanted);
}

}  // namespace virttdx::domain_xml
