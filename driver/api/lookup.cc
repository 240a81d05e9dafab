// SPDX-License-Identifier: GPL-2.0-or-later
// Finding and listing domains.
#include <libvirt/libvirt.h>

#include "api/domain_filter.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/wire_domain.h"

namespace virttdx::driver::api {
Answer domain_lookup_by_id(Session& session, const remote_domain_lookup_by_id_args& args,
                           remote_domain_lookup_by_id_ret& ret, Arena& arena) {
  ret.dom = wire_domain(arena, *TRY(session.service().domains().find_by_id(args.id)));
  return {};
}

Answer domain_lookup_by_name(Session& session, const remote_domain_lookup_by_name_args& args,
                             remote_domain_lookup_by_name_ret& ret, Arena& arena) {
  ret.dom = wire_domain(arena, *TRY(session.service().domains().find_by_name(args.name)));
  return {};
}

Answer domain_lookup_by_uuid(Session& session, const remote_domain_lookup_by_uuid_args& args,
                             remote_domain_lookup_by_uuid_ret& ret, Arena& arena) {
  ret.dom = wire_domain(arena, *TRY(session.service().domains().find_by_uuid(uuid_text(args.uuid))));
  return {};
}

Answer connect_list_all_domains(Session& session, const remote_connect_list_all_domains_args& args,
                                remote_connect_list_all_domains_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kFilterFlags, "virConnectListAllDomains");
  std::vector<remote_nonnull_domain> domains;
  for (const auto& record : select_domains(session, args.flags))
    domains.push_back(wire_domain(arena, *record));
  ret.ret = static_cast<u_int>(domains.size());
  if (args.need_results != 0)
    arena.array(ret.domains.domains_len, ret.domains.domains_val, std::move(domains));
  return {};
}

Answer connect_num_of_domains(Session& session, remote_connect_num_of_domains_ret& ret, Arena&) {
  ret.num = static_cast<int>(select_domains(session, VIR_CONNECT_LIST_DOMAINS_ACTIVE).size());
  return {};
}

Answer connect_num_of_defined_domains(Session& session, remote_connect_num_of_defined_domains_ret& ret,
                                      Arena&) {
  ret.num = static_cast<int>(select_domains(session, VIR_CONNECT_LIST_DOMAINS_INACTIVE).size());
  return {};
}

Answer connect_list_domains(Session& session, const remote_connect_list_domains_args& args,
                            remote_connect_list_domains_ret& ret, Arena& arena) {
  std::vector<int> ids;
  for (const auto& record : select_domains(session, VIR_CONNECT_LIST_DOMAINS_ACTIVE))
    if (static_cast<std::int64_t>(ids.size()) < args.maxids) ids.push_back(record->id);
  arena.array(ret.ids.ids_len, ret.ids.ids_val, std::move(ids));
  return {};
}

Answer connect_list_defined_domains(Session& session, const remote_connect_list_defined_domains_args& args,
                                    remote_connect_list_defined_domains_ret& ret, Arena& arena) {
  std::vector<remote_nonnull_string> names;
  for (const auto& record : select_domains(session, VIR_CONNECT_LIST_DOMAINS_INACTIVE))
    if (static_cast<std::int64_t>(names.size()) < args.maxnames) names.push_back(arena.text(record->name));
  arena.array(ret.names.names_len, ret.names.names_val, std::move(names));
  return {};
}

}  // namespace virttdx::driver::api
