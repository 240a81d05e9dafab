// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's servers: the one that clients use, and this one.
#include <libvirt/libvirt-admin.h>
#include <libvirt/virterror.h>

#include <array>

#include "admin/admin_handlers.h"
#include "api/flags.h"
#include "api/typed_params.h"

namespace virttdx::driver::admin {
namespace {

using api::ParamsRead;
constexpr std::array kLimitParams = {ParamsRead::Known{VIR_SERVER_CLIENTS_MAX, VIR_TYPED_PARAM_UINT},
                                     ParamsRead::Known{VIR_SERVER_CLIENTS_UNAUTH_MAX, VIR_TYPED_PARAM_UINT}};

}  // namespace

WireResult<ServerClients*> find_server(AdminSession& session, const char* name) {
  for (auto* server : session.servers())
    if (server->name() == name) return server;
  return tl::unexpected(wire_error(
      VIR_ERR_NO_SERVER, fmt::format("No server named '{}'", std::string_view(name).substr(0, 256))));
}

Answer connect_open(AdminSession& session, const admin_connect_open_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectOpen");
  session.open = true;
  return {};
}

Answer connect_close(AdminSession& session) {
  session.open = false;
  return {};
}

Answer connect_set_daemon_timeout(AdminSession& session, const admin_connect_set_daemon_timeout_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectDaemonSetTimeout");
  session.context().set_idle_timeout(std::chrono::seconds(args.timeout));
  return {};
}

Answer connect_get_lib_version(AdminSession&, admin_connect_get_lib_version_ret& ret, Arena&) {
  ret.libVer = LIBVIR_VERSION_NUMBER;
  return {};
}

Answer connect_list_servers(AdminSession& session, const admin_connect_list_servers_args& args,
                            admin_connect_list_servers_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectListServers");
  std::vector<admin_nonnull_server> servers;
  for (const auto* server : session.servers()) servers.push_back({.name = arena.text(server->name())});
  ret.ret = static_cast<u_int>(servers.size());
  if (args.need_results != 0)
    arena.array(ret.servers.servers_len, ret.servers.servers_val, std::move(servers));
  return {};
}

Answer connect_lookup_server(AdminSession& session, const admin_connect_lookup_server_args& args,
                             admin_connect_lookup_server_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmConnectLookupServer");
  const auto server = find_server(session, args.name);
  if (!server) return tl::unexpected(server.error());
  ret.srv.name = arena.text((*server)->name());
  return {};
}

// One thread, which takes every call at once: no queue ever forms.
Answer server_get_threadpool_parameters(AdminSession& session,
                                        const admin_server_get_threadpool_parameters_args& args,
                                        admin_server_get_threadpool_parameters_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmServerGetThreadPoolParameters");
  if (const auto server = find_server(session, args.srv.name); !server) return tl::unexpected(server.error());
  api::TypedParams params(arena);
  params.add_uint(VIR_THREADPOOL_WORKERS_MIN, 1);
  params.add_uint(VIR_THREADPOOL_WORKERS_MAX, 1);
  params.add_uint(VIR_THREADPOOL_WORKERS_CURRENT, 1);
  params.add_uint(VIR_THREADPOOL_WORKERS_FREE, 0);
  params.add_uint(VIR_THREADPOOL_WORKERS_PRIORITY, 0);
  params.add_uint(VIR_THREADPOOL_JOB_QUEUE_DEPTH, 0);
  arena.array(ret.params.params_len, ret.params.params_val, params.take());
  return {};
}

Answer server_get_client_limits(AdminSession& session, const admin_server_get_client_limits_args& args,
                                admin_server_get_client_limits_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmServerGetClientLimits");
  const auto server = find_server(session, args.srv.name);
  if (!server) return tl::unexpected(server.error());
  api::TypedParams params(arena);
  params.add_uint(VIR_SERVER_CLIENTS_MAX, (*server)->maximum());
  params.add_uint(VIR_SERVER_CLIENTS_CURRENT, static_cast<std::uint32_t>((*server)->all().size()));
  params.add_uint(VIR_SERVER_CLIENTS_UNAUTH_MAX, (*server)->anonymous_maximum());
  params.add_uint(VIR_SERVER_CLIENTS_UNAUTH_CURRENT,
                  static_cast<std::uint32_t>((*server)->anonymous_count()));
  arena.array(ret.params.params_len, ret.params.params_val, params.take());
  return {};
}

Answer server_set_client_limits(AdminSession& session, const admin_server_set_client_limits_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmServerSetClientLimits");
  const auto server = find_server(session, args.srv.name);
  if (!server) return tl::unexpected(server.error());
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(kLimitParams));
  const auto maximum = params.uint(VIR_SERVER_CLIENTS_MAX).value_or((*server)->maximum());
  const auto anonymous = params.uint(VIR_SERVER_CLIENTS_UNAUTH_MAX).value_or((*server)->anonymous_maximum());
  if (!(*server)->set_limits(maximum, anonymous))
    return fail(
        Error::Code::InvalidArgument,
        "The overall maximum number of clients must not be less than the maximum number of clients waiting "
        "for authentication");
  return {};
}

}  // namespace virttdx::driver::admin
