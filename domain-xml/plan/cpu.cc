// SPDX-License-Identifier: GPL-2.0-or-later
// `<cpu>` to XFAM and CPUID.
#include <algorithm>

#include "cpu/cpu_map_cache.h"
#include "cpu/td_cpu.h"
#include "plan/cpu_features.h"
#include "plan/cpu_model.h"
#include "plan/cpu_topology.h"
#include "plan/cpuid_leaves.h"
#include "plan/planning.h"
#include "plan/xfam.h"
#include "vmm_backend/soft_host_gaps.h"

namespace virttdx::domain_xml {
namespace {

// Its 47 bits of private addresses are more than RAM and the window of 64-bit BARs reach.
constexpr std::uint32_t kGpaw48 = 48;

void refuse_model_of_host_modes(Planning& planning, const Cpu& cpu) {
  if (names_model(cpu) || (!cpu.model && !cpu.vendor && !cpu.vendor_id)) return;
  planning.error("cpu-model-not-offered", "/domain/cpu/model",
                 fmt::format("CPU mode '{}' takes no model, vendor or vendor_id: the TDX module shows the "
                             "physical CPU's",
                             cpu.mode.value_or("host-passthrough")),
                 "remove <model> and <vendor>, or use mode='custom'");
}

void note_migratable(Planning& planning, const Cpu& cpu) {
  if (cpu.migratable != true) return;
  planning.add(Severity::Note, "cpu-migratable-without-effect", "/domain/cpu",
               "migratable='on' has no effect: a TD is not migrated, and the TDX module shows the TSC as "
               "invariant",
               "use migratable='off'");
}

// Of a feature that XFAM's rules let nobody have, though the host lists part of its state.
void note_incomplete_state(Planning& planning) {
  const auto offered = planning.host.supported_xfam;
  const auto useless = offered & ~valid_xfam(offered);
  for (const auto& state : xfam_bits()) {
    if ((useless >> state.bit & 1) == 0) continue;
    auto& finding = planning.add(
        Severity::Note, state.module_allows ? "xfam-group-incomplete" : "xfam-never", "/domain/cpu",
        fmt::format("this host offers XFAM bit {} ({}), which {}", state.bit, state.name,
                    state.module_allows ? "TDX modules take only together with bits that it does not offer"
                                        : "no TDX module lets a TD have"));
    finding.bit = fmt::format("XFAM.{} [bit {}]", state.name, state.bit);
  }
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
}

bool needs_map(const Cpu& cpu) { return names_model(cpu) || !cpu.features.empty(); }

// Features alone do without the models.
Result<SharedCpuModelMap> get_map(const Planning& planning, const Cpu& cpu) {
  return names_model(cpu) ? cpu_model_map(planning.sources.cpu_map)
                          : cpu_feature_map(planning.sources.cpu_map);
}

SharedCpuModelMap map_or_finding(Planning& planning, const Cpu& cpu) {
  const auto no_map = std::make_shared<const CpuModelMap>();
  if (!needs_map(cpu)) return no_map;
  auto map = get_map(planning, cpu);
  if (map) return std::move(*map);
  planning.error(
      "cpu-map-missing", "/domain/cpu",
      fmt::format("CPU models and features cannot be looked up: {}", map.error().message()),
      "install libvirt's CPU map (Debian package libvirt0), or use mode='host-passthrough' without "
      "<feature>");
  return no_map;
}

// Played hosts have more instructions than the software host's engine.
void warn_of_gaps(Planning& planning) {
  if (planning.host.kind != HostKind::Soft) return;
  const auto names = soft_host_gaps(planning.plan.config.td.vcpu_cpuid);
  if (names.empty()) return;
  planning.add(
      Severity::Warning, "cpu-not-executed", "/domain/cpu",
      fmt::format(
          "the software TDX host shows these CPU features as the host that it plays has them, but cannot "
          "execute their instructions: {}; a guest that uses them gets #UD",
          fmt::join(names, ", ")),
      "disable them with <feature policy='disable' name='...'/>, or unset soft_host_profile to run the guest "
      "on "
      "the software TDX host's own CPU");
}

std::uint64_t plan_xfam(const Planning& planning, const RequestedCpu& requested) {
  const auto offered = valid_xfam(planning.host.supported_xfam);
  if (!requested.model || requested.whole_state) return offered;
  return xfam_of(requested.features, planning.host);
}

// The guest reads leaf 0x1F by TDVMCALL as the definition says, and in the module as the physical CPU has it.
void check_topology_leaf(Planning& planning, const Cpu& cpu) {
  constexpr std::uint32_t kTopologyLeafV2 = 0x1F;
  if (find_cpuid(planning.host.configurable_cpuid, kTopologyLeafV2, 0) != nullptr) return;
  planning.add(cpu.topology ? Severity::Warning : Severity::Note, "cpu-topology-not-configurable",
               cpu.topology ? "/domain/cpu/topology" : "/domain/vcpu",
               "this host's KVM and TDX module do not list CPUID.1FH as configurable: a guest that asks the "
               "module sees the physical CPU's topology",
               "use a host with a newer TDX module");
}

void plan_topology(Planning& planning, const Cpu& cpu, CpuidEntries& wanted) {
  const auto topology = topology_of(cpu, planning.domain.vcpus, packages_of(planning.plan.config.numa_nodes));
  const auto findings_before = planning.plan.findings.size();
  check_topology(planning, topology);
  if (planning.plan.findings.size() == findings_before) {
    apply_topology(wanted, topology);
    planning.plan.config.vcpu_ids = vcpu_ids_of(topology);
  }
  check_topology_leaf(planning, cpu);
}

// Whoever asks, the bit tells whether there is more than one vCPU in a package; QEMU does the same.
void note_threads(Planning& planning, const Cpu& cpu, bool silent, const CpuidEntries& wanted) {
  constexpr CpuidBit kHt{1, 0, CpuidRegister::Edx, 28};
  const auto feature = std::ranges::find(cpu.features, kTopologyFeature, &CpuFeature::name);
  if (feature == cpu.features.end() || silent) return;
  const bool asked =
      feature->policy != CpuFeaturePolicy::Disable && feature->policy != CpuFeaturePolicy::Forbid;
  if (asked == is_set(wanted, kHt)) return;
  auto& finding =
      planning.add(Severity::Note, "cpu-feature-topology", "/domain/cpu/feature",
                   fmt::format("CPU feature 'ht' follows the topology: it is {}",
                               asked ? "0 with one vCPU in a package" : "1 with several vCPUs in a package"),
                   "remove it");
  finding.line = feature->line;
  finding.bit = bit_name(kHt.function, kHt.index, kHt.reg, kHt.bit);
}

}  // namespace

void plan_cpu(Planning& planning) {
  const auto cpu = planning.domain.cpu.value_or(Cpu());
  const auto& host = planning.host;
  auto& td = planning.plan.config.td;
  refuse_model_of_host_modes(planning, cpu);
  note_migratable(planning, cpu);
  check_physical_address_bits(planning, cpu);
  note_incomplete_state(planning);
  const auto kept = map_or_finding(planning, cpu);
  const auto& map = *kept;
  const bool has_map = !map.features().features().empty();
  const auto requested = has_map && names_model(cpu) ? request_cpu(planning, cpu, map) : RequestedCpu();
  plan_feature_attributes(planning, cpu, requested.silent);
  td.xfam = plan_xfam(planning, requested);
  auto wanted = host_cpuid(host);
  if (requested.model) apply_model(planning, cpu, requested, map, wanted);
  if (has_map) plan_cpu_features(planning, cpu, map.features(), requested.silent, wanted);
  close_gates(wanted, td.xfam, td.attributes);
  plan_topology(planning, cpu, wanted);
  note_threads(planning, cpu, requested.silent, wanted);
  set_gpaw(wanted, kGpaw48);
  td.cpuid = init_vm_cpuid(host, wanted);
  td.vcpu_cpuid = std::move(wanted);
  check_planned_cpu(planning, cpu, requested, map);
  warn_of_gaps(planning);
}

}  // namespace virttdx::domain_xml
