// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/session.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <QTimer>
#include <algorithm>
#include <array>

#include "api/dispatch.h"
#include "api/procedures.h"
#include "api/qemu_program.h"
#include "api/refusals.h"
#include "schemas/qemu_protocol.h"
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
  return wire_error(VIR_ERR_NO_SUPPORT, std::string(info->function));
}

// What clients ask of another daemon to make one of our domains, such as the pool of a disk image, must not
// leave them to guess.
WireError no_daemon(ObjectClass object_class, const ProcedureInfo& info) {
  return wire_error(
      VIR_ERR_NO_SUPPORT,
      fmt::format("{}: it is another daemon's, and none answers on this host: start libvirtd or virt{}d",
                  info.function, scheme_of(object_class)));
}

constexpr std::array kBeforeOpen = {REMOTE_PROC_AUTH_LIST,
                                    REMOTE_PROC_AUTH_POLKIT,
                                    REMOTE_PROC_AUTH_SASL_INIT,
                                    REMOTE_PROC_AUTH_SASL_START,
                                    REMOTE_PROC_AUTH_SASL_STEP,
                                    REMOTE_PROC_CONNECT_OPEN,
                                    REMOTE_PROC_CONNECT_SUPPORTS_FEATURE,
                                    REMOTE_PROC_CONNECT_CLOSE};

bool needs_open_connection(int procedure) {
  return std::find(kBeforeOpen.begin(), kBeforeOpen.end(), procedure) == kBeforeOpen.end();
}

bool is_for_authentication(int procedure) {
  return procedure >= REMOTE_PROC_AUTH_LIST && procedure <= REMOTE_PROC_AUTH_POLKIT;
}

// As libvirt's daemons, so that root gets in whatever has become of polkit.
bool needs_authentication(const DaemonConfig& config, bool read_only, const Peer& peer) {
  return (read_only ? config.auth_unix_ro : config.auth_unix_rw) == SocketAuthentication::Polkit &&
         peer.uid != 0;
}

}  // namespace

Session::Session(std::shared_ptr<Client> client, Peer peer, bool read_only, const DaemonContext& context)
    : client_(std::move(client)),
      peer_(std::move(peer)),
      identity_(peer_),
      read_only_(read_only),
      context_(context),
      must_authenticate_(needs_authentication(context.config, read_only, peer_)),
      gate_([this](const DomainEvent& event) { events_.emit(*client_, event); }) {
  client_->on_drained([this] {
    for (auto& [serial, stream] : streams_) stream->continue_output();
    for (auto& [object_class, upstream] : upstreams_) upstream->continue_output();
  });
}

void Session::handle(const Frame& frame) {
  switch (frame.header.type) {
    case VIR_NET_CALL:
      return handle_call(frame);
    case VIR_NET_STREAM:
    case VIR_NET_STREAM_HOLE:
      return handle_stream(frame);
    default:
      // Descriptors passed after CALL_WITH_FDS would be taken for the next message; no procedure takes any.
      log::warning(
          "client {}: message type {} is not one that a client may send here; closing the connection",
          client_->fd(), frame.header.type);
      client_->close();
  }
}

const ProcedureInfo* Session::find_call(const FrameHeader& header, PendingReply& reply) const {
  const bool remote = header.program == REMOTE_PROGRAM && header.version == REMOTE_PROTOCOL_VERSION;
  const bool qemu = header.program == QEMU_PROGRAM && header.version == QEMU_PROTOCOL_VERSION;
  const ProcedureInfo* info = nullptr;
  if (remote) info = find_procedure(header.procedure);
  if (qemu) info = find_qemu_procedure(header.procedure);
  if (info == nullptr)
    reply.fail(remote || qemu ? not_served(header.procedure, info) : rpc_error(unknown_program(header)));
  return info;
}

void Session::handle_call(const Frame& frame) {
  const FrameHeader& header = frame.header;
  auto reply = std::make_shared<PendingReply>(client_, header);
  const ProcedureInfo* info = find_call(header, *reply);
  if (info == nullptr) return;
  log::debug("client {}: {}", client_->fd(), info->name);
  if (must_authenticate_ && (header.program != REMOTE_PROGRAM || !is_for_authentication(header.procedure)))
    return reply->fail(rpc_error("authentication required"));
  if (uri.empty() && (header.program != REMOTE_PROGRAM || needs_open_connection(header.procedure)))
    return reply->fail(Error(Error::Code::Internal, "hypervisor connection not open"));
  if (read_only_ && info->read_only == ReadOnlyRule::Forbidden)
    return reply->fail(read_only_error(info->function));
  if (info->object_class != ObjectClass::Hypervisor)
    return forward(info->object_class, frame, std::move(reply));
  context_.config.access_control ? authorize(*info, frame, reply) : answer(*info, frame, reply);
}

void Session::answer(const ProcedureInfo& procedure, const Frame& frame, const ReplyPointer& reply) {
  if (const auto* served = find_qemu_served(procedure)) return served->call(*this, frame, reply);
  if (const auto* served = find_served(procedure.number)) return served->call(*this, frame, reply);
  if (const auto* refusal = find_refusal(procedure.number)) return refuse(*this, frame, *reply, *refusal);
  reply->fail(not_served(procedure.number, &procedure));
}

Result<Upstream*> Session::upstream_of(ObjectClass object_class) {
  if (const auto found = upstreams_.find(object_class); found != upstreams_.end()) return found->second.get();
  const bool per_user = context_.directories.per_user;
  Result<UniqueFd> socket;
  for (const auto& path : sockets_of(object_class, context_.directories.run, read_only_ && !per_user)) {
    socket = connect_unix(path.native());
    if (socket || socket.error().code() != Error::Code::NotFound) break;
  }
  if (!socket) return tl::unexpected(socket.error());
  UpstreamTarget target{
      .uri = fmt::format("{}:///{}", scheme_of(object_class), per_user ? "session" : "system"),
      .read_only = read_only_,
      .identity = identity_};
  auto upstream = std::make_unique<Upstream>(*std::move(socket), std::move(target), client_,
                                             [this, object_class] { drop_upstream(object_class); });
  return upstreams_.emplace(object_class, std::move(upstream)).first->second.get();
}

// It calls this itself.
void Session::drop_upstream(ObjectClass object_class) {
  const auto found = upstreams_.find(object_class);
  if (found == upstreams_.end()) return;
  QTimer::singleShot(0, [gone = std::shared_ptr<Upstream>(std::move(found->second))] {});
  upstreams_.erase(found);
}

void Session::forward(ObjectClass object_class, const Frame& frame, std::shared_ptr<PendingReply> reply) {
  const auto upstream = upstream_of(object_class);
  if (upstream) return (*upstream)->call(frame, std::move(reply));
  if (upstream.error().code() != Error::Code::NotFound) return reply->fail(upstream.error());
  if (const auto nothing = empty_answer(frame.header.procedure)) return reply->succeed(*nothing);
  reply->fail(no_daemon(object_class, *find_procedure(frame.header.procedure)));
}

// Packets of a stream that has ended already are on their way when it ends: they are dropped, as libvirt
// does.
void Session::handle_stream(const Frame& frame) {
  for (auto& [object_class, upstream] : upstreams_)
    if (upstream->has_stream(frame.header.serial)) return upstream->stream_packet(frame);
  const auto found = streams_.find(frame.header.serial);
  if (found == streams_.end() || frame.header.type != VIR_NET_STREAM) return;
  if (!found->second->handle(frame)) streams_.erase(found);
}

void Session::add_stream(std::uint32_t serial, std::unique_ptr<ConsoleStream> stream) {
  streams_.insert_or_assign(serial, std::move(stream));
}

}  // namespace virttdx::driver
