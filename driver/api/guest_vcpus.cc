// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/guest_vcpus.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <memory>

#include "api/agent_answer.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/typed_params.h"
#include "domain/affinity.h"

namespace virttdx::driver::api {
namespace {

using nlohmann::json;

// A TD's vCPUs are fewer; an agent may say anything.
constexpr std::int64_t kVcpusMaximum = 4096;

struct GuestVcpu {
  std::size_t number = 0;
  bool online = false, can_offline = false;
};

bool is_true(const json& object, const char* member) {
  return object.is_object() && object.value(member, json()) == json(true);
}

std::vector<GuestVcpu> read_vcpus(const json& answer) {
  std::vector<GuestVcpu> vcpus;
  if (!answer.is_array()) return vcpus;
  for (const auto& entry : answer)
    if (const auto number = integer_of(entry, "logical-id");
        number && *number >= 0 && *number < kVcpusMaximum)
      vcpus.push_back(
          {static_cast<std::size_t>(*number), is_true(entry, "online"), is_true(entry, "can-offline")});
  return vcpus;
}

template <typename Predicate>
std::string set_of(const std::vector<GuestVcpu>& vcpus, Predicate belongs) {
  CpuSet set(kVcpusMaximum);
  for (const auto& vcpu : vcpus)
    if (belongs(vcpu)) set[vcpu.number] = true;
  return domain_xml::format_cpuset(set);
}

using VcpuHandler = std::function<void(const std::vector<GuestVcpu>&)>;
template <typename Ret>
void ask_vcpus(Session& session, const RecordPtr& record, const Deferred<Ret>& reply, VcpuHandler handler) {
  ask_agent(session, record, {.name = "guest-get-vcpus"},
            [reply, handler = std::move(handler)](const WireResult<json>& answer) {
              answer ? handler(read_vcpus(*answer)) : reply.fail(answer.error());
            });
}

void set_vcpus(Session& session, const RecordPtr& record, const std::vector<GuestVcpu>& vcpus,
               const Deferred<void>& reply) {
  if (vcpus.empty()) return reply.succeed();
  json list = json::array();
  for (const auto& vcpu : vcpus) list.push_back({{"logical-id", vcpu.number}, {"online", vcpu.online}});
  ask_agent(
      session, record, {.name = "guest-set-vcpus", .arguments = {{"vcpus", list}}},
      [reply](const WireResult<json>& answer) { answer ? reply.succeed() : reply.fail(answer.error()); });
}

// Those whose state has to change for `count` of them to be in use, in their new state.
WireResult<std::vector<GuestVcpu>> changes_for(std::vector<GuestVcpu> vcpus, std::uint32_t count) {
  const auto online = static_cast<std::size_t>(std::ranges::count(vcpus, true, &GuestVcpu::online));
  const bool bring = count > online;
  auto missing = bring ? count - online : online - count;
  std::vector<GuestVcpu> changes;
  // Out of use from the last one down, as libvirt does.
  if (!bring) std::ranges::reverse(vcpus);
  for (auto& vcpu : vcpus) {
    if (missing == 0 || vcpu.online == bring || (!bring && !vcpu.can_offline)) continue;
    vcpu.online = bring;
    changes.push_back(vcpu);
    --missing;
  }
  if (missing != 0)
    return tl::unexpected(
        wire_error(VIR_ERR_INTERNAL_ERROR,
                   bring ? "guest agent reports less cpu than requested" : "Cannot offline enough CPUs"));
  return changes;
}

Result<std::vector<GuestVcpu>> changes_of(const std::vector<GuestVcpu>& vcpus, const CpuSet& wanted,
                                          bool online) {
  std::vector<GuestVcpu> changes;
  for (std::size_t number = 0; number < wanted.size(); ++number) {
    if (!wanted[number]) continue;
    const auto found = std::ranges::find(vcpus, number, &GuestVcpu::number);
    if (found == vcpus.end())
      return fail(Error::Code::InvalidArgument, "guest is missing vCPUs '{}'", number);
    if (found->online == online) continue;
    if (!online && !found->can_offline)
      return fail(Error::Code::InvalidArgument, "vCPU '{}' can't be offlined", number);
    changes.push_back({number, online, found->can_offline});
  }
  return changes;
}

}  // namespace

void count_guest_vcpus(Session& session, const RecordPtr& record,
                       const Deferred<remote_domain_get_vcpus_flags_ret>& reply) {
  ask_vcpus(session, record, reply, [reply](const std::vector<GuestVcpu>& vcpus) {
    reply.succeed({.num = static_cast<int>(std::ranges::count(vcpus, true, &GuestVcpu::online))});
  });
}

void set_guest_vcpu_count(Session& session, const RecordPtr& record, std::uint32_t count,
                          const Deferred<void>& reply) {
  ask_vcpus(session, record, reply,
            [keeps = session.shared_from_this(), record, count, reply](const std::vector<GuestVcpu>& vcpus) {
              const auto changes = changes_for(vcpus, count);
              changes ? set_vcpus(*keeps, record, *changes, reply) : reply.fail(changes.error());
            });
}

Answer domain_get_guest_vcpus(Session& session, const remote_domain_get_guest_vcpus_args& args,
                              Deferred<remote_domain_get_guest_vcpus_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetGuestVcpus");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_vcpus(session, record, reply, [reply](const std::vector<GuestVcpu>& vcpus) {
    Arena arena;
    TypedParams params(arena);
    params.add_string("vcpus", set_of(vcpus, [](const GuestVcpu&) { return true; }));
    params.add_string("online", set_of(vcpus, [](const GuestVcpu& vcpu) { return vcpu.online; }));
    params.add_string("offlinable", set_of(vcpus, [](const GuestVcpu& vcpu) { return vcpu.can_offline; }));
    remote_domain_get_guest_vcpus_ret ret{};
    arena.array(ret.params.params_len, ret.params.params_val, params.take());
    reply.succeed(ret);
  });
  return {};
}

Answer domain_set_guest_vcpus(Session& session, const remote_domain_set_guest_vcpus_args& args,
                              Deferred<void> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainSetGuestVcpus");
  if (args.state != 0 && args.state != 1)
    return fail(Error::Code::InvalidArgument, "unsupported state value");
  const auto wanted = TRY(domain_xml::parse_cpuset(args.cpumap));
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_vcpus(session, record, reply,
            [keeps = session.shared_from_this(), record, wanted, online = args.state == 1,
             reply](const std::vector<GuestVcpu>& vcpus) {
              const auto changes = changes_of(vcpus, wanted, online);
              changes ? set_vcpus(*keeps, record, *changes, reply) : reply.fail(changes.error());
            });
  return {};
}

}  // namespace virttdx::driver::api
