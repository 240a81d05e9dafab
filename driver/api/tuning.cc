// SPDX-License-Identifier: GPL-2.0-or-later
// Shares of the host: CPU time, memory limits, block I/O weight, NUMA nodes. A running domain has those that
// its control group can have.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/blkio_devices.h"
#include "api/domain_reply.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/tunables.h"
#include "api/typed_params.h"
#include "domain/control_group.h"

namespace virttdx::driver::api {
namespace {

using Known = ParamsRead::Known;

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
constexpr auto kBlkioParams = [] {
  std::array<Known, 1 + kBlkioDeviceParams.size()> params = {
      Known{VIR_DOMAIN_BLKIO_WEIGHT, VIR_TYPED_PARAM_UINT}};
  std::ranges::copy(kBlkioDeviceParams, params.begin() + 1);
  return params;
}();
constexpr std::array kNumaParams = {Known{VIR_DOMAIN_NUMA_NODESET, VIR_TYPED_PARAM_STRING},
                                    Known{VIR_DOMAIN_NUMA_MODE, VIR_TYPED_PARAM_INT}};
// In the order of virDomainNumatuneMemMode.
constexpr std::array<std::string_view, 4> kNumaModes = {"strict", "preferred", "interleave", "restrictive"};

// What the kernel has where nothing was asked for, as libvirt's drivers read it of cgroups v2.
constexpr std::uint64_t kDefaultWeight = 100;
constexpr std::int64_t kNoQuota = 17'592'186'044'415;

// As a libvirt driver says it on a host without that controller.
Result<> check_live(Session& session, std::string_view controller) {
  if (session.service().limits_resources()) return {};
  return fail(Error::Code::WrongState, "cgroup {} controller is not mounted", controller);
}

struct Asked {
  const domain_xml::Tuning& tuning;
  bool live;
  template <typename T>
  T value(const std::optional<T>& asked, T unlimited, T none = 0) const {
    return live ? (asked.value_or(0) == 0 ? unlimited : *asked) : asked.value_or(none);
  }
};

Result<Asked> tuning_asked(Session& session, const remote_nonnull_domain& dom, unsigned flags,
                           std::string_view controller) {
  const RecordPtr record = TRY(find_record(session, dom));
  const auto* domain = TRY(definition_asked(*record, flags));
  const bool live = record->live && domain == &record->live->definition;
  if (live) TRY(check_live(session, controller));
  return Asked{domain->tuning, live};
}

// As many as the client has room for; it asks how many there are by having none.
template <typename Ret>
void give(Ret& ret, Arena& arena, TypedParams params, int room) {
  auto list = params.take();
  if (room >= 0 && list.size() > static_cast<std::size_t>(room)) list.resize(static_cast<std::size_t>(room));
  arena.array(ret.params.params_len, ret.params.params_val, std::move(list));
}

void add_bandwidth(TypedParams& params, const Asked& asked, const char* period_name,
                   const std::optional<std::uint64_t>& period, const char* quota_name,
                   const std::optional<std::int64_t>& quota) {
  params.add_ullong(period_name, asked.value(period, kCpuPeriod));
  const auto microseconds = asked.value(quota, kNoQuota);
  params.add_llong(quota_name, asked.live && microseconds < 0 ? kNoQuota : microseconds);
}

TypedParams scheduler_params(Arena& arena, const Asked& asked) {
  const auto tune = asked.tuning.cpu.value_or(domain_xml::CpuTune());
  TypedParams params(arena);
  params.add_ullong(VIR_DOMAIN_SCHEDULER_CPU_SHARES, asked.value(tune.shares, kDefaultWeight));
  add_bandwidth(params, asked, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, tune.period, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA,
                tune.quota);
  add_bandwidth(params, asked, VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, tune.emulator_period,
                VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, tune.emulator_quota);
  add_bandwidth(params, asked, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, tune.global_period,
                VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, tune.global_quota);
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

Result<> check_shares(const std::optional<std::uint64_t>& shares) {
  if (shares && (*shares < 1 || *shares > 10'000))
    return fail(Error::Code::InvalidArgument, "shares '{}' must be in range [1, 10000]", *shares);
  return {};
}

Result<DomainService::Change> scheduler_change(const ParamsRead& params, bool live) {
  domain_xml::CpuTune asked;
  asked.shares = params.ullong(VIR_DOMAIN_SCHEDULER_CPU_SHARES);
  asked.period = params.ullong(VIR_DOMAIN_SCHEDULER_VCPU_PERIOD);
  asked.quota = params.llong(VIR_DOMAIN_SCHEDULER_VCPU_QUOTA);
  asked.emulator_period = params.ullong(VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD);
  asked.emulator_quota = params.llong(VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA);
  asked.global_period = params.ullong(VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD);
  asked.global_quota = params.llong(VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA);
  TRY(check_period(asked.period, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD));
  TRY(check_period(asked.emulator_period, VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD));
  TRY(check_period(asked.global_period, VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD));
  if (live) TRY(check_shares(asked.shares));
  return [asked](domain_xml::Domain& domain) -> Result<> {
    auto& tune = domain.tuning.cpu ? *domain.tuning.cpu : domain.tuning.cpu.emplace();
    replace_if_there(tune.shares, asked.shares);
    for (const auto member : {&domain_xml::CpuTune::period, &domain_xml::CpuTune::global_period,
                              &domain_xml::CpuTune::emulator_period})
      replace_if_there(tune.*member, asked.*member);
    for (const auto member : {&domain_xml::CpuTune::quota, &domain_xml::CpuTune::global_quota,
                              &domain_xml::CpuTune::emulator_quota})
      replace_if_there(tune.*member, asked.*member);
    return {};
  };
}

Result<> set_memory_limits(domain_xml::Domain& domain, const domain_xml::MemoryTune& asked) {
  auto tune = domain.tuning.memory.value_or(domain_xml::MemoryTune());
  for (const auto member : {&domain_xml::MemoryTune::hard_limit, &domain_xml::MemoryTune::soft_limit,
                            &domain_xml::MemoryTune::swap_hard_limit}) {
    replace_if_there(tune.*member, asked.*member);
    if ((tune.*member).value_or(0) >= VIR_DOMAIN_MEMORY_PARAM_UNLIMITED) (tune.*member).reset();
  }
  if (tune.swap_hard_limit &&
      tune.hard_limit.value_or(VIR_DOMAIN_MEMORY_PARAM_UNLIMITED) > *tune.swap_hard_limit)
    return fail(Error::Code::InvalidArgument,
                "memory hard_limit tunable value must be lower than or equal to swap_hard_limit");
  domain.tuning.memory = tune == domain_xml::MemoryTune() ? std::nullopt : std::optional(tune);
  return {};
}

Result<DomainService::Change> memory_change(const ParamsRead& params, bool) {
  const domain_xml::MemoryTune asked{.hard_limit = params.ullong(VIR_DOMAIN_MEMORY_HARD_LIMIT),
                                     .soft_limit = params.ullong(VIR_DOMAIN_MEMORY_SOFT_LIMIT),
                                     .swap_hard_limit = params.ullong(VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT)};
  return [asked](domain_xml::Domain& domain) { return set_memory_limits(domain, asked); };
}

Result<DomainService::Change> blkio_change(const ParamsRead& params, bool) {
  const auto weight = params.uint(VIR_DOMAIN_BLKIO_WEIGHT);
  if (weight && (*weight < 10 || *weight > 1000))
    return fail(Error::Code::InvalidArgument, "out of blkio weight range.");
  const auto devices = TRY(read_blkio_device_changes(params));
  return [weight, devices](domain_xml::Domain& domain) -> Result<> {
    auto& tune = domain.tuning.blkio ? *domain.tuning.blkio : domain.tuning.blkio.emplace();
    replace_if_there(tune.weight, weight);
    change_blkio_devices(tune, devices);
    return {};
  };
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

struct Settable {
  std::span<const Known> known;
  std::string_view controller;
  Result<DomainService::Change> (*read)(const ParamsRead&, bool live);
  std::string_view tunable_prefix = {};  ///< empty: there is no event of these
};
constexpr Settable kScheduler = {kSchedulerParams, "CPU", scheduler_change, "cputune."};
constexpr Settable kMemory = {kMemoryParams, "memory", memory_change};
constexpr Settable kBlkio = {kBlkioParams, "blkio", blkio_change};

template <typename Args>
Answer set_params(Session& session, const Args& args, unsigned flags, const Settable& settable,
                  const Deferred<void>& reply) {
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(settable.known));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, flags));
  if (impact.live) TRY(check_live(session, settable.controller));
  const auto change = TRY(settable.read(params, impact.live));
  std::vector<Tunable> tunables;
  if (impact.live && !settable.tunable_prefix.empty())
    tunables = tunables_of(params, settable.known, settable.tunable_prefix);
  session.service().change_limits(record, impact, change,
                                  telling(session, record, std::move(tunables), finish(reply)));
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
  const auto asked = TRY(tuning_asked(session, args.dom, 0, "CPU"));
  give(ret, arena, scheduler_params(arena, asked), args.nparams);
  return {};
}

Answer domain_get_scheduler_parameters_flags(Session& session,
                                             const remote_domain_get_scheduler_parameters_flags_args& args,
                                             remote_domain_get_scheduler_parameters_flags_ret& ret,
                                             Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetSchedulerParametersFlags");
  const auto asked = TRY(tuning_asked(session, args.dom, args.flags, "CPU"));
  give(ret, arena, scheduler_params(arena, asked), args.nparams);
  return {};
}

Answer domain_set_scheduler_parameters(Session& session,
                                       const remote_domain_set_scheduler_parameters_args& args,
                                       Deferred<void> reply) {
  return set_params(session, args, 0, kScheduler, reply);
}

Answer domain_set_scheduler_parameters_flags(Session& session,
                                             const remote_domain_set_scheduler_parameters_flags_args& args,
                                             Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetSchedulerParametersFlags");
  return set_params(session, args, args.flags, kScheduler, reply);
}

Answer domain_get_memory_parameters(Session& session, const remote_domain_get_memory_parameters_args& args,
                                    remote_domain_get_memory_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetMemoryParameters");
  const auto asked = TRY(tuning_asked(session, args.dom, args.flags, "memory"));
  ret.nparams = kMemoryParams.size();
  const auto tune = asked.tuning.memory.value_or(domain_xml::MemoryTune());
  constexpr std::uint64_t kUnlimited = VIR_DOMAIN_MEMORY_PARAM_UNLIMITED;
  TypedParams params(arena);
  params.add_ullong(VIR_DOMAIN_MEMORY_HARD_LIMIT, tune.hard_limit.value_or(kUnlimited));
  params.add_ullong(VIR_DOMAIN_MEMORY_SOFT_LIMIT, tune.soft_limit.value_or(kUnlimited));
  params.add_ullong(VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, tune.swap_hard_limit.value_or(kUnlimited));
  if (args.nparams != 0) give(ret, arena, std::move(params), args.nparams);
  return {};
}

Answer domain_set_memory_parameters(Session& session, const remote_domain_set_memory_parameters_args& args,
                                    Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetMemoryParameters");
  return set_params(session, args, args.flags, kMemory, reply);
}

Answer domain_get_blkio_parameters(Session& session, const remote_domain_get_blkio_parameters_args& args,
                                   remote_domain_get_blkio_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetBlkioParameters");
  const auto asked = TRY(tuning_asked(session, args.dom, args.flags, "blkio"));
  ret.nparams = kBlkioParams.size();
  TypedParams params(arena);
  const auto tune = asked.tuning.blkio.value_or(domain_xml::BlkioTune());
  params.add_uint(VIR_DOMAIN_BLKIO_WEIGHT, asked.value<std::uint32_t>(tune.weight, kDefaultWeight));
  add_blkio_devices(params, tune);
  if (args.nparams != 0) give(ret, arena, std::move(params), args.nparams);
  return {};
}

Answer domain_set_blkio_parameters(Session& session, const remote_domain_set_blkio_parameters_args& args,
                                   Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetBlkioParameters");
  return set_params(session, args, args.flags, kBlkio, reply);
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
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(kNumaParams));
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags));
  // What a monitor's threads have already is theirs.
  if (impact.live) return fail(Error::Code::WrongState, "cgroup cpuset controller is not mounted");
  TRY(session.service().change(record, impact, [&](auto& domain) { return set_numa(domain, params); }));
  return {};
}

}  // namespace virttdx::driver::api
