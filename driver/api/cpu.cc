// SPDX-License-Identifier: GPL-2.0-or-later
// CPU models: their names, comparison of CPU descriptions with this host, the description common to several.
// The calls with "hypervisor" in their name are about what a TD can have, the others about the host.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <span>

#include "api/emulator_request.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/validation.h"
#include "domain_xml/cpu_models.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::ComparedCpu;
using domain_xml::CpuCompareResult;

constexpr unsigned kCompareFlags =
    VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE | VIR_CONNECT_COMPARE_CPU_VALIDATE_XML;
constexpr unsigned kBaselineFlags =
    VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES | VIR_CONNECT_BASELINE_CPU_MIGRATABLE;

WireError incompatible_cpu(const std::string& why) {
  constexpr std::string_view kWords = "the CPU is incompatible with host CPU";
  WireError error;
  error.code = VIR_ERR_CPU_INCOMPATIBLE;
  error.domain = VIR_FROM_CPU;
  error.message = fmt::format("{}: {}", kWords, why);
  error.format = fmt::format("{}: %s", kWords);
  error.detail = why;
  return error;
}

template <typename Args>
Answer check_hypervisor(const HostAccess& host, const Args& args) {
  if (const auto checked = check_emulator(host, {args.emulator, args.arch, args.machine, args.virttype});
      !checked)
    return checked;
  if (!host.capabilities.tdx_supported)
    return fail(Error::Code::Unsupported, "no TD, and so no CPU of one, is possible on this host: {}",
                host.capabilities.tdx_unsupported_reason);
  return {};
}

Answer compare(const HostAccess& host, ComparedCpu with, std::string_view xml, unsigned flags, int& result) {
  if (auto valid = validate_cpu_xml(xml, (flags & VIR_CONNECT_COMPARE_CPU_VALIDATE_XML) != 0); !valid)
    return valid;
  const auto comparison = TRY(domain_xml::compare_cpu(xml, with, host.capabilities));
  if (comparison.result == CpuCompareResult::Incompatible &&
      (flags & VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE) != 0)
    return tl::unexpected(incompatible_cpu(comparison.message));
  result = static_cast<int>(comparison.result);
  return {};
}

Result<std::string> baseline(const HostAccess& host, ComparedCpu for_cpu,
                             std::span<const remote_nonnull_string> xmls, unsigned flags) {
  const std::vector<std::string> cpus(xmls.begin(), xmls.end());
  return domain_xml::baseline_cpu(cpus, host.capabilities,
                                  {.for_cpu = for_cpu,
                                   .expand_features = (flags & VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES) != 0,
                                   .migratable = (flags & VIR_CONNECT_BASELINE_CPU_MIGRATABLE) != 0});
}

}  // namespace

Answer connect_get_cpu_model_names(Session&, const remote_connect_get_cpu_model_names_args& args,
                                   remote_connect_get_cpu_model_names_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virConnectGetCPUModelNames");
  if (std::string_view(args.arch) != "x86_64")
    return fail(Error::Code::InvalidArgument, "architecture '{}' is not x86_64", args.arch);
  const auto names = TRY(domain_xml::cpu_model_names());
  ret.ret = static_cast<int>(names.size());
  if (args.need_results == 0) return {};
  std::vector<remote_nonnull_string> models;
  for (const auto& name : names) models.push_back(arena.text(name));
  arena.array(ret.models.models_len, ret.models.models_val, std::move(models));
  return {};
}

Answer connect_compare_cpu(Session& session, const remote_connect_compare_cpu_args& args,
                           remote_connect_compare_cpu_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, kCompareFlags, "virConnectCompareCPU");
  return compare(session.service().host(), ComparedCpu::Host, args.xml, args.flags, ret.result);
}

Answer connect_compare_hypervisor_cpu(Session& session,
                                      const remote_connect_compare_hypervisor_cpu_args& args,
                                      remote_connect_compare_hypervisor_cpu_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, kCompareFlags, "virConnectCompareHypervisorCPU");
  const HostAccess& host = session.service().host();
  if (const auto checked = check_hypervisor(host, args); !checked) return checked;
  return compare(host, ComparedCpu::TrustDomain, args.xmlCPU, args.flags, ret.result);
}

Answer connect_baseline_cpu(Session& session, const remote_connect_baseline_cpu_args& args,
                            remote_connect_baseline_cpu_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kBaselineFlags, "virConnectBaselineCPU");
  ret.cpu = arena.text(TRY(baseline(session.service().host(), ComparedCpu::Host,
                                    {args.xmlCPUs.xmlCPUs_val, args.xmlCPUs.xmlCPUs_len}, args.flags)));
  return {};
}

Answer connect_baseline_hypervisor_cpu(Session& session,
                                       const remote_connect_baseline_hypervisor_cpu_args& args,
                                       remote_connect_baseline_hypervisor_cpu_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kBaselineFlags, "virConnectBaselineHypervisorCPU");
  const HostAccess& host = session.service().host();
  if (const auto checked = check_hypervisor(host, args); !checked) return checked;
  ret.cpu = arena.text(TRY(baseline(host, ComparedCpu::TrustDomain,
                                    {args.xmlCPUs.xmlCPUs_val, args.xmlCPUs.xmlCPUs_len}, args.flags)));
  return {};
}

}  // namespace virttdx::driver::api
