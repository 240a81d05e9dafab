// SPDX-License-Identifier: GPL-2.0-or-later
// Clients of the daemon's servers.
#include <libvirt/libvirt-admin.h>
#include <libvirt/virterror.h>

#include <QTimer>

#include "admin/admin_handlers.h"
#include "api/flags.h"
#include "api/typed_params.h"

namespace virttdx::driver::admin {
namespace {

using Found = std::pair<const std::uint64_t, ConnectedClient>;

WireResult<const Found*> find_client(AdminSession& session, const char* server_name, std::uint64_t id) {
  const auto server = find_server(session, server_name);
  if (!server) return tl::unexpected(server.error());
  const auto found = (*server)->all().find(id);
  if (found == (*server)->all().end())
    return tl::unexpected(wire_error(VIR_ERR_NO_CLIENT, fmt::format("No client with matching ID '{}'", id)));
  return &*found;
}

admin_nonnull_client wire_client(Arena& arena, const std::string& server, const Found& client) {
  admin_nonnull_client wire{};
  wire.srv.name = arena.text(server);
  wire.id = client.first;
  wire.timestamp = client.second.connected_at;
  wire.transport = VIR_CLIENT_TRANS_UNIX;
  return wire;
}

}  // namespace

Answer server_list_clients(AdminSession& session, const admin_server_list_clients_args& args,
                           admin_server_list_clients_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmServerListClients");
  const auto server = find_server(session, args.srv.name);
  if (!server) return tl::unexpected(server.error());
  std::vector<admin_nonnull_client> clients;
  for (const auto& client : (*server)->all())
    clients.push_back(wire_client(arena, (*server)->name(), client));
  ret.ret = static_cast<u_int>(clients.size());
  if (args.need_results != 0)
    arena.array(ret.clients.clients_len, ret.clients.clients_val, std::move(clients));
  return {};
}

Answer server_lookup_client(AdminSession& session, const admin_server_lookup_client_args& args,
                            admin_server_lookup_client_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmServerLookupClient");
  const auto client = find_client(session, args.srv.name, args.id);
  if (!client) return tl::unexpected(client.error());
  ret.clnt = wire_client(arena, args.srv.name, **client);
  return {};
}

Answer client_get_info(AdminSession& session, const admin_client_get_info_args& args,
                       admin_client_get_info_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, 0, "virAdmClientGetInfo");
  const auto found = find_client(session, args.clnt.srv.name, args.clnt.id);
  if (!found) return tl::unexpected(found.error());
  const auto& client = (*found)->second;
  api::TypedParams params(arena);
  params.add_boolean(VIR_CLIENT_INFO_READONLY, client.read_only);
  params.add_int(VIR_CLIENT_INFO_UNIX_USER_ID, static_cast<int>(client.peer.uid));
  params.add_string(VIR_CLIENT_INFO_UNIX_USER_NAME, client.peer.user);
  params.add_int(VIR_CLIENT_INFO_UNIX_GROUP_ID, static_cast<int>(client.peer.gid));
  params.add_string(VIR_CLIENT_INFO_UNIX_GROUP_NAME, client.peer.group);
  params.add_int(VIR_CLIENT_INFO_UNIX_PROCESS_ID, client.peer.pid);
  arena.array(ret.params.params_len, ret.params.params_val, params.take());
  return {};
}

// From the event loop: the client may be the one that asks.
Answer client_close(AdminSession& session, const admin_client_close_args& args) {
  CHECK_FLAGS(args.flags, 0, "virAdmClientClose");
  const auto found = find_client(session, args.clnt.srv.name, args.clnt.id);
  if (!found) return tl::unexpected(found.error());
  QTimer::singleShot(0, [weak = (*found)->second.client] {
    if (const auto client = weak.lock()) client->close();
  });
  return {};
}

}  // namespace virttdx::driver::admin
