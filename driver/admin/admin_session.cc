// SPDX-License-Identifier: GPL-2.0-or-later
#include "admin/admin_session.h"

#include <libvirt/virterror.h>

#include <array>

#include "admin/admin_handlers.h"
#include "rpc/serve.h"
#include "schemas/virnet_protocol.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

using ServeAdmin = void (*)(AdminSession&, const Frame&, std::shared_ptr<PendingReply>);

template <auto Handler>
void serve(AdminSession& session, const Frame& frame, std::shared_ptr<PendingReply> reply) {
  serve_as(Handler, session, frame, reply);
}

struct ServedProcedure {
  int number;
  ServeAdmin serve;
};
constexpr auto kServed = std::to_array<ServedProcedure>({
    {ADMIN_PROC_CONNECT_OPEN, serve<&admin::connect_open>},
    {ADMIN_PROC_CONNECT_CLOSE, serve<&admin::connect_close>},
    {ADMIN_PROC_CONNECT_GET_LIB_VERSION, serve<&admin::connect_get_lib_version>},
    {ADMIN_PROC_CONNECT_LIST_SERVERS, serve<&admin::connect_list_servers>},
    {ADMIN_PROC_CONNECT_LOOKUP_SERVER, serve<&admin::connect_lookup_server>},
    {ADMIN_PROC_SERVER_GET_THREADPOOL_PARAMETERS, serve<&admin::server_get_threadpool_parameters>},
    {ADMIN_PROC_SERVER_LIST_CLIENTS, serve<&admin::server_list_clients>},
    {ADMIN_PROC_SERVER_LOOKUP_CLIENT, serve<&admin::server_lookup_client>},
    {ADMIN_PROC_CLIENT_GET_INFO, serve<&admin::client_get_info>},
    {ADMIN_PROC_CLIENT_CLOSE, serve<&admin::client_close>},
    {ADMIN_PROC_SERVER_GET_CLIENT_LIMITS, serve<&admin::server_get_client_limits>},
    {ADMIN_PROC_SERVER_SET_CLIENT_LIMITS, serve<&admin::server_set_client_limits>},
    {ADMIN_PROC_CONNECT_GET_LOGGING_OUTPUTS, serve<&admin::connect_get_logging_outputs>},
    {ADMIN_PROC_CONNECT_SET_LOGGING_OUTPUTS, serve<&admin::connect_set_logging_outputs>},
    {ADMIN_PROC_CONNECT_GET_LOGGING_FILTERS, serve<&admin::connect_get_logging_filters>},
    {ADMIN_PROC_CONNECT_SET_LOGGING_FILTERS, serve<&admin::connect_set_logging_filters>},
    {ADMIN_PROC_CONNECT_SET_DAEMON_TIMEOUT, serve<&admin::connect_set_daemon_timeout>},
});

// Why not, of the procedures that libvirt has and this daemon does not.
std::string_view refusal_of(int procedure) {
  if (procedure == ADMIN_PROC_SERVER_SET_THREADPOOL_PARAMETERS)
    return "the daemon has one thread, which never waits: there are no workers to set";
  if (procedure == ADMIN_PROC_SERVER_UPDATE_TLS_FILES)
    return "the daemon listens on Unix sockets only; virtproxyd has the TLS files";
  return {};
}

const ServedProcedure* find_served(int procedure) {
  for (const auto& row : kServed)
    if (row.number == procedure) return &row;
  return nullptr;
}

}  // namespace

void AdminSession::handle(const Frame& frame) {
  const FrameHeader& header = frame.header;
  if (header.type != VIR_NET_CALL) {
    log::warning("admin client {}: message type {} is not a call; closing the connection", client_->fd(),
                 header.type);
    return client_->close();
  }
  auto reply = std::make_shared<PendingReply>(client_, header);
  if (header.program != ADMIN_PROGRAM || header.version != ADMIN_PROTOCOL_VERSION)
    return reply->fail(rpc_error(fmt::format("Cannot find program {} version {}",
                                             static_cast<std::int32_t>(header.program), header.version)));
  if (const auto refusal = refusal_of(header.procedure); !refusal.empty())
    return reply->fail(wire_error(VIR_ERR_OPERATION_UNSUPPORTED, std::string(refusal)));
  const auto* served = find_served(header.procedure);
  if (served == nullptr)
    return reply->fail(rpc_error(fmt::format("unknown procedure: {}", header.procedure)));
  if (!open && header.procedure != ADMIN_PROC_CONNECT_OPEN)
    return reply->fail(wire_error(VIR_ERR_INTERNAL_ERROR, "connection not open"));
  served->serve(*this, frame, std::move(reply));
}

}  // namespace virttdx::driver
