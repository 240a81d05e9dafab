// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/session.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "api/dispatch.h"
#include "api/procedures.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// As libvirt's dispatcher words it.
std::string unknown_program(const FrameHeader& header) {
  return fmt::format("Cannot find program {} version {}", static_cast<std::int32_t>(header.program),
                     header.version);
}

// A procedure that libvirt has is refused as libvirt's drivers refuse what they do not implement; clients
// then do without it. Others are unknown, as they are to an older libvirt.
WireError not_served(int procedure, const ProcedureInfo* info) {
  if (info == nullptr || info->function.empty())
    return rpc_error(fmt::format("unknown procedure: {}", procedure));
  WireError error;
  error.code = VIR_ERR_NO_SUPPORT;
  error.domain = VIR_FROM_DOMAIN;
  error.message = fmt::format("this function is not supported by the connection driver: {}", info->function);
  error.format = "this function is not supported by the connection driver: %s";
  error.detail = info->function;
  return error;
}

bool needs_open_connection(int procedure) {
  return procedure != REMOTE_PROC_AUTH_LIST && procedure != REMOTE_PROC_CONNECT_OPEN &&
         procedure != REMOTE_PROC_CONNECT_SUPPORTS_FEATURE && procedure != REMOTE_PROC_CONNECT_CLOSE;
}

}  // namespace

Session::Session(std::shared_ptr<Client> client, bool read_only, DomainService& service)
    : client_(std::move(client)), read_only_(read_only), service_(service) {
  client_->on_drained([this] {
    for (auto& [serial, stream] : streams_) stream->continue_output();
  });
}

void Session::handle(const Frame& frame) {
  switch (frame.header.type) {
    case VIR_NET_CALL:
      return handle_call(frame);
    case VIR_NET_STREAM:
      return handle_stream(frame);
    default:
      // Descriptors passed after CALL_WITH_FDS would be taken for the next message; no procedure takes any.
      log::warning(
          "client {}: message type {} is not one that a client may send here; closing the connection",
          client_->fd(), frame.header.type);
      client_->close();
  }
}

void Session::handle_call(const Frame& frame) {
  const FrameHeader& header = frame.header;
  auto reply = std::make_shared<PendingReply>(client_, header);
  if (header.program != REMOTE_PROGRAM || header.version != REMOTE_PROTOCOL_VERSION)
    return reply->fail(rpc_error(unknown_program(header)));
  const ServeFunction serve = find_serve_function(header.procedure);
  const ProcedureInfo* info = find_procedure(header.procedure);
  if (serve == nullptr || info == nullptr) return reply->fail(not_served(header.procedure, info));
  if (uri.empty() && needs_open_connection(header.procedure))
    return reply->fail(Error(Error::Code::Internal, "hypervisor connection not open"));
  if (read_only_ && info->read_only == ReadOnlyRule::Forbidden)
    return reply->fail(read_only_error(info->function));
  serve(*this, frame, std::move(reply));
}

// Packets of a stream that has ended already are on their way when it ends: they are dropped, as libvirt
// does.
void Session::handle_stream(const Frame& frame) {
  const auto found = streams_.find(frame.header.serial);
  if (found == streams_.end()) return;
  if (!found->second->handle(frame)) streams_.erase(found);
}

void Session::add_stream(std::uint32_t serial, std::unique_ptr<ConsoleStream> stream) {
  streams_.insert_or_assign(serial, std::move(stream));
}

void Session::emit(const DomainEvent& event) { events_.emit(*client_, event); }

}  // namespace virttdx::driver
