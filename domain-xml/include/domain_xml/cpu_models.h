// SPDX-License-Identifier: GPL-2.0-or-later
// CPU models and features of TDs: libvirt's CPU map held against what one host's KVM and TDX module allow.
// All functions are pure but for reading the CPU map, and may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "domain_xml/domain.h"
#include "domain_xml/plan.h"
#include "support/result.h"
#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx::domain_xml {

/// What a CPUID bit is to a TD on a given host.
enum class TdCpuBitClass : std::uint8_t {
  Configurable,        ///< chosen at TD creation
  Fixed1,              ///< the TDX module shows 1
  Fixed0,              ///< the TDX module shows 0
  XfamDependent,       ///< the physical CPU's, 0 without a bit of XFAM
  AttributeDependent,  ///< the physical CPU's, 0 without a bit of ATTRIBUTES
  Native,              ///< the physical CPU's
  Computed,            ///< when the guest asks (OSXSAVE, APIC id)
  KvmAnswered,         ///< the leaf is #VE, and KVM answers the guest's TDVMCALL
  KvmParavirtual,      ///< leaves 0x4000'0000 and up
  NotOffered,          ///< configurable by the specification, not listed by this host's KVM and module
};
/// "fixed-1", "XFAM-dependent" ...
std::string_view to_name(TdCpuBitClass bit_class);

/// What the TDX module will show (KVM_TDX_GET_CPUID) for `td`: the entries of td.vcpu_cpuid with the module's
/// rules applied; what it computes at each CPUID and leaves that KVM answers are as in vcpu_cpuid, leaves 0xB
/// and 0x1F left out where `td` (a plan's, or a monitor's) gives INIT_VM no topology: the CPU's is not known.
CpuidEntries predict_cpuid(const TdConfig& td);

/// CPUID of a running TD, with what decides it.
struct GuestCpuid {
  CpuidReport report;  ///< the monitor's
  std::uint64_t xfam = 0;
  std::uint64_t attributes = 0;
};
CpuidEntries predict_cpuid(const GuestCpuid& guest);
/// Bits that are not as predict_cpuid() says: a mistake of virttdx's, or a TDX module of another version.
std::vector<CpuidDifference> wrong_predictions(const GuestCpuid& guest);

/// Names of the models of libvirt's CPU map for x86_64, in libvirt's order
/// (virConnectGetCPUModelNames). Errors: the CPU map cannot be read.
Result<std::vector<std::string>> cpu_model_names(const PlanSources& sources = {});

/// One `<model>` of the custom mode in domain capabilities.
struct CpuModelUsability {
  std::string name;
  std::string vendor;                 ///< "Intel", "unknown"
  bool usable = false;                ///< a TD on this host can be exactly it, or more
  std::vector<std::string> blockers;  ///< names of features that a TD cannot have here
};
Result<std::vector<CpuModelUsability>> cpu_model_usability(const HostCapabilities& host,
                                                           const PlanSources& sources = {});

/// What mode host-model stands for: the named model nearest to what a TD on `host` can have, with features to
/// add (require) and to leave out (disable). Mode custom, match exact, fallback forbid.
Result<Cpu> host_model_cpu(const HostCapabilities& host, const PlanSources& sources = {});

/// Numbers of virCPUCompareResult.
enum class CpuCompareResult : std::uint8_t { Incompatible = 0, Identical = 1, Superset = 2 };
struct CpuComparison {
  CpuCompareResult result = CpuCompareResult::Incompatible;
  std::string message;  ///< of Incompatible: what is missing
};
/// Which CPU a description is held against.
enum class ComparedCpu : std::uint8_t {
  TrustDomain,  ///< what a TD can have (virConnectCompareHypervisorCPU, virConnectBaselineHypervisorCPU)
  Host,         ///< what KVM offers ordinary guests (virConnectCompareCPU, virConnectBaselineCPU)
};
/// `cpu_xml` is a `<cpu>` element of a domain, of capabilities, or domain capabilities' host-model. Errors:
/// XmlSyntax, XmlInvalid (another element, unknown model or feature).
Result<CpuComparison> compare_cpu(std::string_view cpu_xml, ComparedCpu with, const HostCapabilities& host,
                                  const PlanSources& sources = {});

struct BaselineOptions {
  /// TrustDomain: the result has nothing that a TD on `host` cannot have.
  ComparedCpu for_cpu = ComparedCpu::TrustDomain;
  bool expand_features = false;          ///< VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES
  bool migratable = false;               ///< VIR_CONNECT_BASELINE_CPU_MIGRATABLE
  std::vector<std::string> models = {};  ///< only these may name it; empty: any
};
/// The `<cpu>` that all of `cpu_xmls` can be. Errors: those of compare_cpu(), InvalidArgument for none,
/// ConfigUnsupported when vendors differ or nothing is common.
Result<std::string> baseline_cpu(std::span<const std::string> cpu_xmls, const HostCapabilities& host,
                                 const BaselineOptions& options = {}, const PlanSources& sources = {});

/// The `<cpu>` of a running domain: of modes custom and host-model the named model with the features that are
/// really on and off, and check='full'; of the others the definition's own, as libvirt does. `report` is the
/// monitor's.
Result<Cpu> live_cpu(const Domain& domain, const CpuidReport& report, const HostCapabilities& host,
                     const PlanSources& sources = {});

/// After launch, of a definition with check='full' (success for any other): whether the guest has exactly the
/// CPU that was asked for. `domain` is the definition as planned. Errors: ConfigUnsupported with libvirt's
/// words, the features and their bits.
Result<> verify_cpu(const Domain& domain, const GuestCpuid& guest, const HostCapabilities& host,
                    const PlanSources& sources = {});

}  // namespace virttdx::domain_xml
