// SPDX-License-Identifier: GPL-2.0-or-later
// Shares of the host: CPU time, memory limits, block I/O weight, NUMA nodes. They are part of the definition;
// a running monitor is in no control group of its own, so that nothing of a running domain can change.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"

namespace virttdx::driver::api {
namespace {

using Known = ParamsRead::Known;

constexpr unsigned kImpactFlags = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;

constexpr std::array kSchedulerParams = {Known{VIR_DOMAIN_SCHEDULER_CPU_SHARES, VIR_TYPED_PARAM_ULLONG},
                                         Known{VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, VIR_TYPED_PARAM_ULLONG},
                                         Known{VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, VIR_TYPED_PARAM_LLONG},
                                         Known{VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, VIR_TYPED_PARAM_ULLONG},
                                         Known{VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, VIR_TYPED_PARAM_LLONG},
                                         Known{VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, VIR_TYPED_PARAM_ULLONG},
                                         Known{VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, VIR_TYPED_PARAM_LLONG}};
constexpr std::array kMemoryParams = {Known{VIR_DOMAIN_MEMORY_HARD_LIMIT, VIR_TYPED_PARAM_ULLONG},
                                      Known{VIR_DOMAIN_MEMORY_SOFT_LIMIT, VIR_TYPED_PARAM_ULLONG},
                                      Known{VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, VIR_TYPED_PARAM_ULLONG}};
constexpr std::array kBlkioParams = {Known{VIR_DOMAIN_BLKIO_WEIGHT, VIR_TYPED_PARAM_UINT}};
constexpr std::array kNumaParams = {Known{VIR_DOMAIN_NUMA_NODESET, VIR_TYPED_PARAM_STRING},
                                    Known{VIR_DOMAIN_NUMA_MODE, VIR_TYPED_PARAM_INT}};
// In the order of virDomainNumatuneMemMode.
constexpr std::array<std::string_view, 4> kNumaModes = {"strict", "preferred", "interleave", "restrictive"};

// As a libvirt driver says it on a host without that controller.
Answer refuse_live(const Impact& impact, std::string_view controller) {
  if (!impact.live) return {};
  return fail(Error::Code::WrongState, "cgroup {} controller is not mounted", controller);
}

Result<const domain_xml::Domain*> definition_stored(Session& session, const remote_nonnull_domain& dom,
                                                    unsigned flags, std::string_view controller) {
  const RecordPtr record = TRY(find_record(session, dom));
  const auto* domain = TRY(definition_asked(*record, flags));
  if (record->live && domain == &record->live->definition)
    return fail(Error::Code::WrongState, "cgroup {} controller is not mounted", controller);
  return domain;
}

// As many as the client has room for; it asks how many there are by having none.
template <typename Ret>
void give(Ret& ret, Arena& arena, TypedParams params, int room) {
  auto list = params.take();
  if (room >= 0 && list.size() > static_cast<std::size_t>(room)) list.resize(static_cast<std::size_t>(room));
  arena.array(ret.params.params_len, ret.params.params_val, std::move(list));
}

TypedParams scheduler_params(Arena& arena, const domain_xml::CpuTune& tune) {
  TypedParams params(arena);
  params.add_ullong(VIR_DOMAIN_SCHEDULER_CPU_SHARES, tune.shares.value_or(0));
  params.add_ullong(VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, tune.period.value_or(0));
  params.add_llong(VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, tune.quota.value_or(0));
  params.add_ullong(VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, tune.emulator_period.value_or(0));
  params.add_llong(VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, tune.emulator_quota.value_or(0));
  params.add_ullong(VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, tune.global_period.value_or(0));
  params.add_llong(VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, tune.global_quota.value_or(0));
  return params;
}

// Limits of the kernel's CPU controller, in microseconds.
Result<> check_period(const std::optional<std::uint64_t>& period, std::string_view name) {
  if (period && *period != 0 && (*period < 1000 || *period > 1'000'000))
    return fail(Error::Code::InvalidArgument, "value of '{}' is out of range [1000, 1000000]", name);
  return {};
}

template <typename T>
void replace_if_there(std::optional<T>& target, const std::optional<T>& value) {
  if (value) target = value;
}

Result<> set_scheduler(domain_xml::Domain& domain, const ParamsRead& params) {
  auto tune = domain.tuning.cpu.value_or(domain_xml::CpuTune());
  replace_if_there(tune.shares, params.ullong(VIR_DOMAIN_SCHEDULER_CPU_SHARES));
  replace_if_there(tune.period, params.ullong(VIR_DOMAIN_SCHEDULER_VCPU_PERIOD));
  replace_if_there(tune.quota, params.llong(VIR_DOMAIN_SCHEDULER_VCPU_QUOTA));
  replace_if_there(tune.emulator_period, params.ullong(VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD));
  replace_if_there(tune.emulator_quota, params.llong(VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA));
  replace_if_there(tune.global_period, params.ullong(VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD));
  replace_if_there(tune.global_quota, params.llong(VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA));
  TRY(check_period(tune.period, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD));
  TRY(check_period(tune.emulator_period, VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD));
  TRY(check_period(tune.global_period, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD));
  domain.tuning.cpu = std::move(tune);
  return {};
}

Result<> set_memory_limits(domain_xml::Domain& domain, const ParamsRead& params) {
  auto tune = domain.tuning.memory.value_or(domain_xml::MemoryTune());
  replace_if_there(tune.hard_limit, params.ullong(VIR_DOMAIN_MEMORY_HARD_LIMIT));
  replace_if_there(tune.soft_limit, params.ullong(VIR_DOMAIN_MEMORY_SOFT_LIMIT));
  replace_if_there(tune.swap_hard_limit, params.ullong(VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT));
  for (auto* limit : {&tune.hard_limit, &tune.soft_limit, &tune.swap_hard_limit})
    if (*limit && **limit >= VIR_DOMAIN_MEMORY_PARAM_UNLIMITED) limit->reset();
  if (tune.swap_hard_limit &&
      tune.hard_limit.value_or(VIR_DOMAIN_MEMORY_PARAM_UNLIMITED) > *tune.swap_hard_limit)
    return fail(Error::Code::InvalidArgument,
                "memory hard_limit tunable value must be lower than or equal to swap_hard_limit");
  domain.tuning.memory = tune == domain_xml::MemoryTune() ? std::nullopt : std::optional(tune);
  return {};
}

Result<> set_weight(domain_xml::Domain& domain, const ParamsRead& params) {
  const auto weight = params.uint(VIR_DOMAIN_BLKIO_WEIGHT);
  if (!weight) return {};
  if (*weight < 10 || *weight > 1000) return fail(Error::Code::InvalidArgument, "out of blkio weight range.");
  domain.tuning.blkio.emplace().weight = *weight;
  return {};
}

Result<> set_numa(domain_xml::Domain& domain, const ParamsRead& params) {
  auto tune = domain.tuning.numa.value_or(domain_xml::NumaTune());
  if (const auto mode = params.integer(VIR_DOMAIN_NUMA_MODE)) {
    if (*mode < 0 || *mode >= static_cast<int>(kNumaModes.size()))
      return fail(Error::Code::InvalidArgument, "unsupported numatune mode: '{}'", *mode);
    tune.mode = kNumaModes.at(static_cast<std::size_t>(*mode));
  }
  if (const auto nodes = params.string(VIR_DOMAIN_NUMA_NODESET)) {
    const auto set = domain_xml::parse_cpuset(*nodes);
    if (!set) return fail(Error::Code::InvalidArgument, "Failed to parse bitmap '{}'", *nodes);
    tune.nodeset = domain_xml::format_cpuset(*set);
  }
  domain.tuning.numa = std::move(tune);
  return {};
}

template <typename Args>
Answer set_params(Session& session, const Args& args, unsigned flags, std::span<const Known> known,
                  std::string_view controller, Result<> (*set)(domain_xml::Domain&, const ParamsRead&)) {
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(known));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, flags));
  CHECK_ANSWER(refuse_live(impact, controller));
  TRY(session.service().change(record, impact, [&](auto& domain) { return set(domain, params); }));
  return {};
}

}  // namespace

Answer domain_get_scheduler_type(Session& session, const remote_domain_get_scheduler_type_args& args,
                                 remote_domain_get_scheduler_type_ret& ret, Arena& arena) {
  TRY(find_record(session, args.dom));
  ret.type = arena.text("posix");
  ret.nparams = kSchedulerParams.size();
  return {};
}

Answer domain_get_scheduler_parameters(Session& session,
                                       const remote_domain_get_scheduler_parameters_args& args,
                                       remote_domain_get_scheduler_parameters_ret& ret, Arena& arena) {
  const auto* domain = TRY(definition_stored(session, args.dom, 0, "CPU"));
  give(ret, arena, scheduler_params(arena, domain->tuning.cpu.value_or(domain_xml::CpuTune())), args.nparams);
  return {};
}

Answer domain_get_scheduler_parameters_flags(Session& session,
                                             const remote_domain_get_scheduler_parameters_flags_args& args,
                                             remote_domain_get_scheduler_parameters_flags_ret& ret,
                                             Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetSchedulerParametersFlags");
  const auto* domain = TRY(definition_stored(session, args.dom, args.flags, "CPU"));
  give(ret, arena, scheduler_params(arena, domain->tuning.cpu.value_or(domain_xml::CpuTune())), args.nparams);
  return {};
}

Answer domain_set_scheduler_parameters(Session& session,
                                       const remote_domain_set_scheduler_parameters_args& args) {
  return set_params(session, args, 0, kSchedulerParams, "CPU", set_scheduler);
}

Answer domain_set_scheduler_parameters_flags(Session& session,
                                             const remote_domain_set_scheduler_parameters_flags_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetSchedulerParametersFlags");
  return set_params(session, args, args.flags, kSchedulerParams, "CPU", set_scheduler);
}

Answer domain_get_memory_parameters(Session& session, const remote_domain_get_memory_parameters_args& args,
                                    remote_domain_get_memory_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetMemoryParameters");
  const auto* domain = TRY(definition_stored(session, args.dom, args.flags, "memory"));
  ret.nparams = kMemoryParams.size();
  const auto tune = domain->tuning.memory.value_or(domain_xml::MemoryTune());
  constexpr std::uint64_t kUnlimited = VIR_DOMAIN_MEMORY_PARAM_UNLIMITED;
  TypedParams params(arena);
  params.add_ullong(VIR_DOMAIN_MEMORY_HARD_LIMIT, tune.hard_limit.value_or(kUnlimited));
  params.add_ullong(VIR_DOMAIN_MEMORY_SOFT_LIMIT, tune.soft_limit.value_or(kUnlimited));
  params.add_ullong(VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, tune.swap_hard_limit.value_or(kUnlimited));
  if (args.nparams != 0) give(ret, arena, std::move(params), args.nparams);
  return {};
}

Answer domain_set_memory_parameters(Session& session, const remote_domain_set_memory_parameters_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetMemoryParameters");
  return set_params(session, args, args.flags, kMemoryParams, "memory", set_memory_limits);
}

Answer domain_get_blkio_parameters(Session& session, const remote_domain_get_blkio_parameters_args& args,
                                   remote_domain_get_blkio_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetBlkioParameters");
  const auto* domain = TRY(definition_stored(session, args.dom, args.flags, "blkio"));
  ret.nparams = kBlkioParams.size();
  TypedParams params(arena);
  params.add_uint(VIR_DOMAIN_BLKIO_WEIGHT,
                  domain->tuning.blkio ? domain->tuning.blkio->weight.value_or(0) : 0);
  if (args.nparams != 0) give(ret, arena, std::move(params), args.nparams);
  return {};
}

Answer domain_set_blkio_parameters(Session& session, const remote_domain_set_blkio_parameters_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetBlkioParameters");
  return set_params(session, args, args.flags, kBlkioParams, "blkio", set_weight);
}

Answer domain_get_numa_parameters(Session& session, const remote_domain_get_numa_parameters_args& args,
                                  remote_domain_get_numa_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetNumaParameters");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto tune = TRY(definition_asked(*record, args.flags))->tuning.numa.value_or(domain_xml::NumaTune());
  ret.nparams = kNumaParams.size();
  const auto mode = std::find(kNumaModes.begin(), kNumaModes.end(), tune.mode.value_or("strict"));
  TypedParams params(arena);
  params.add_string(VIR_DOMAIN_NUMA_NODESET, tune.nodeset.value_or(""));
  params.add_int(VIR_DOMAIN_NUMA_MODE, static_cast<int>(mode - kNumaModes.begin()));
  if (args.nparams != 0) give(ret, arena, std::move(params), args.nparams);
  return {};
}

Answer domain_set_numa_parameters(Session& session, const remote_domain_set_numa_parameters_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetNumaParameters");
  return set_params(session, args, args.flags, kNumaParams, "cpuset", set_numa);
}

}  // namespace virttdx::driver::api
