// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest's agent tells of the guest: users, system, file systems, interfaces.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <array>
#include <memory>

#include "api/agent_answer.h"
#include "api/agent_disks.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::Domain;
using nlohmann::json;

void add_text(TypedParams& params, const std::string& name, const json& object, const char* member) {
  if (const auto text = text_of(object, member)) params.add_string(name, *text);
}
void add_size(TypedParams& params, const std::string& name, const json& object, const char* member) {
  if (const auto size = integer_of(object, member))
    params.add_ullong(name, static_cast<std::uint64_t>(*size));
}

void add_alias(TypedParams& params, const std::string& name, const Domain& domain, const json& address) {
  if (const auto* const disk = disk_at(domain, address)) params.add_string(name, disk->target_dev);
}
// Devices that a partition or a mapped device lies on.
void add_dependencies(TypedParams& params, const std::string& prefix, const json& disk) {
  const auto names = list_of(disk, "dependencies");
  if (names.empty()) return;
  params.add_uint(prefix + "count", static_cast<std::uint32_t>(names.size()));
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].is_string())
      params.add_string(fmt::format("{}{}.name", prefix, i),
                        names[i].get<std::string>().substr(0, kAgentTextMaximum));
}

void add_users(const json& answer, const Domain&, TypedParams& params) {
  const auto users = bounded_list(answer);
  params.add_uint("user.count", static_cast<std::uint32_t>(users.size()));
  for (std::size_t i = 0; i < users.size(); ++i) {
    const auto prefix = fmt::format("user.{}.", i);
    add_text(params, prefix + "name", users[i], "user");
    add_text(params, prefix + "domain", users[i], "domain");
    // Seconds since 1970, with a fraction.
    const double login = number_of(users[i], "login-time").value_or(0);
    if (login >= 0 && login < 1e15)
      params.add_ullong(prefix + "login-time", static_cast<std::uint64_t>(login * 1000));
  }
}

void add_system(const json& answer, const Domain&, TypedParams& params) {
  for (const char* name : {"id", "name", "pretty-name", "version", "version-id", "machine", "variant",
                           "variant-id", "kernel-release", "kernel-version"})
    add_text(params, fmt::format("os.{}", name), answer, name);
}

void add_timezone(const json& answer, const Domain&, TypedParams& params) {
  add_text(params, "timezone.name", answer, "zone");
  if (const auto offset = integer_of(answer, "offset"))
    params.add_int("timezone.offset", static_cast<int>(*offset));
}

void add_hostname(const json& answer, const Domain&, TypedParams& params) {
  add_text(params, "hostname", answer, "host-name");
}

void add_file_systems(const json& answer, const Domain& domain, TypedParams& params) {
  const auto systems = bounded_list(answer);
  params.add_uint("fs.count", static_cast<std::uint32_t>(systems.size()));
  for (std::size_t i = 0; i < systems.size(); ++i) {
    const auto prefix = fmt::format("fs.{}.", i);
    add_text(params, prefix + "name", systems[i], "name");
    add_text(params, prefix + "mountpoint", systems[i], "mountpoint");
    add_text(params, prefix + "fstype", systems[i], "type");
    add_size(params, prefix + "total-bytes", systems[i], "total-bytes");
    add_size(params, prefix + "used-bytes", systems[i], "used-bytes");
    const auto disks = list_of(systems[i], "disk");
    params.add_uint(prefix + "disk.count", static_cast<std::uint32_t>(disks.size()));
    for (std::size_t k = 0; k < disks.size(); ++k) {
      add_alias(params, fmt::format("{}disk.{}.alias", prefix, k), domain, disks[k]);
      add_text(params, fmt::format("{}disk.{}.serial", prefix, k), disks[k], "serial");
      add_text(params, fmt::format("{}disk.{}.device", prefix, k), disks[k], "dev");
    }
  }
}

void add_disks(const json& answer, const Domain& domain, TypedParams& params) {
  const auto disks = bounded_list(answer);
  params.add_uint("disk.count", static_cast<std::uint32_t>(disks.size()));
  for (std::size_t i = 0; i < disks.size(); ++i) {
    const auto prefix = fmt::format("disk.{}.", i);
    add_text(params, prefix + "name", disks[i], "name");
    const bool partition = disks[i].is_object() && disks[i].value("partition", json()) == json(true);
    params.add_boolean(prefix + "partition", partition);
    add_dependencies(params, prefix + "dependency.", disks[i]);
    const json address = object_of(disks[i], "address");
    add_text(params, prefix + "serial", address, "serial");
    add_alias(params, prefix + "alias", domain, address);
    add_text(params, prefix + "guest_alias", disks[i], "alias");
  }
}

void add_addresses(const json& interface, const std::string& prefix, TypedParams& params) {
  const auto addresses = list_of(interface, "ip-addresses");
  params.add_uint(prefix + "addr.count", static_cast<std::uint32_t>(addresses.size()));
  for (std::size_t k = 0; k < addresses.size(); ++k) {
    const auto at = fmt::format("{}addr.{}.", prefix, k);
    add_text(params, at + "type", addresses[k], "ip-address-type");
    add_text(params, at + "addr", addresses[k], "ip-address");
    if (const auto length = integer_of(addresses[k], "prefix"))
      params.add_uint(at + "prefix", static_cast<std::uint32_t>(*length));
  }
}

void add_interfaces(const json& answer, const Domain&, TypedParams& params) {
  const auto interfaces = bounded_list(answer);
  params.add_uint("if.count", static_cast<std::uint32_t>(interfaces.size()));
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    const auto prefix = fmt::format("if.{}.", i);
    add_text(params, prefix + "name", interfaces[i], "name");
    add_text(params, prefix + "hwaddr", interfaces[i], "hardware-address");
    add_addresses(interfaces[i], prefix, params);
  }
}

struct InfoRow {
  unsigned type;  ///< virDomainGuestInfoTypes
  const char* command;
  void (*add)(const json&, const Domain&, TypedParams&);
};
constexpr std::array kInfoRows = {
    InfoRow{VIR_DOMAIN_GUEST_INFO_USERS, "guest-get-users", add_users},
    InfoRow{VIR_DOMAIN_GUEST_INFO_OS, "guest-get-osinfo", add_system},
    InfoRow{VIR_DOMAIN_GUEST_INFO_TIMEZONE, "guest-get-timezone", add_timezone},
    InfoRow{VIR_DOMAIN_GUEST_INFO_HOSTNAME, "guest-get-host-name", add_hostname},
    InfoRow{VIR_DOMAIN_GUEST_INFO_FILESYSTEM, "guest-get-fsinfo", add_file_systems},
    InfoRow{VIR_DOMAIN_GUEST_INFO_DISKS, "guest-get-disks", add_disks},
    InfoRow{VIR_DOMAIN_GUEST_INFO_INTERFACES, "guest-network-get-interfaces", add_interfaces}};

constexpr unsigned kAllTypes = [] {
  unsigned types = 0;
  for (const auto& row : kInfoRows) types |= row.type;
  return types;
}();

// A number of texts, which are all that a reply can hold.
constexpr std::size_t kParamsMaximum = REMOTE_DOMAIN_GUEST_INFO_PARAMS_MAX;

// One question after the other. Asked for everything, what the agent does not know is left out.
struct InfoQuery {
  Session& session;
  std::shared_ptr<Session> keeps;
  RecordPtr record;
  Deferred<remote_domain_get_guest_info_ret> reply;
  unsigned types;
  bool all;
  Arena arena = {};
  TypedParams params{arena};
};

void answer_info(InfoQuery& query) {
  auto params = query.params.take();
  if (params.size() > kParamsMaximum) params.resize(kParamsMaximum);
  remote_domain_get_guest_info_ret ret{};
  query.arena.array(ret.params.params_len, ret.params.params_val, std::move(params));
  query.reply.succeed(ret);
}

bool ends_query(const InfoQuery& query, const WireError& error) {
  return !query.all || error.code != VIR_ERR_INTERNAL_ERROR;
}

void ask_from(const std::shared_ptr<InfoQuery>& query, std::size_t at) {
  while (at < kInfoRows.size() && (kInfoRows.at(at).type & query->types) == 0) ++at;
  if (at == kInfoRows.size()) return answer_info(*query);
  ask_agent(query->session, query->record, {.name = kInfoRows.at(at).command},
            [query, at](const WireResult<json>& answer) {
              if (!answer && ends_query(*query, answer.error())) return query->reply.fail(answer.error());
              if (answer && query->record->live)
                kInfoRows.at(at).add(*answer, query->record->live->definition, query->params);
              ask_from(query, at + 1);
            });
}

std::vector<remote_nonnull_string> aliases_of(Arena& arena, const json& disks, const Domain& domain) {
  std::vector<remote_nonnull_string> aliases;
  for (const auto& address : disks)
    if (const auto* const disk = disk_at(domain, address)) aliases.push_back(arena.text(disk->target_dev));
  return aliases;
}

remote_domain_get_fsinfo_ret file_systems(Arena& arena, const json& answer, const Domain& domain) {
  std::vector<remote_domain_fsinfo> systems;
  for (const auto& system : bounded_list(answer)) {
    auto& row = systems.emplace_back();
    row.mountpoint = arena.text(text_of(system, "mountpoint").value_or(""));
    row.name = arena.text(text_of(system, "name").value_or(""));
    row.fstype = arena.text(text_of(system, "type").value_or(""));
    arena.array(row.dev_aliases.dev_aliases_len, row.dev_aliases.dev_aliases_val,
                aliases_of(arena, list_of(system, "disk"), domain));
  }
  remote_domain_get_fsinfo_ret ret{};
  ret.ret = static_cast<u_int>(systems.size());
  arena.array(ret.info.info_len, ret.info.info_val, std::move(systems));
  return ret;
}

}  // namespace

Answer domain_get_guest_info(Session& session, const remote_domain_get_guest_info_args& args,
                             Deferred<remote_domain_get_guest_info_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetGuestInfo");
  if ((args.types & ~kAllTypes) != 0)
    return fail(Error::Code::InvalidArgument, "unsupported guest information types '0x{:x}'",
                args.types & ~kAllTypes);
  const std::shared_ptr<InfoQuery> query(new InfoQuery{.session = session,
                                                       .keeps = session.shared_from_this(),
                                                       .record = TRY(find_record(session, args.dom)),
                                                       .reply = reply,
                                                       .types = args.types == 0 ? kAllTypes : args.types,
                                                       .all = args.types == 0});
  ask_from(query, 0);
  return {};
}

Answer domain_get_fsinfo(Session& session, const remote_domain_get_fsinfo_args& args,
                         Deferred<remote_domain_get_fsinfo_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetFSInfo");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_agent(session, record, {.name = "guest-get-fsinfo"}, [reply, record](const WireResult<json>& answer) {
    if (!answer) return reply.fail(answer.error());
    Arena arena;
    if (record->live) reply.succeed(file_systems(arena, *answer, record->live->definition));
  });
  return {};
}

}  // namespace virttdx::driver::api
