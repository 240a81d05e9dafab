// SPDX-License-Identifier: GPL-2.0-or-later
#include "forward/upstream.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <limits>
#include <utility>

#include "forward/identity.h"
#include "schemas/virnet_protocol.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

ClientLimits upstream_limits() {
  ClientLimits limits;
  limits.outstanding_calls = std::numeric_limits<unsigned>::max();
  limits.keepalive_interval = std::chrono::milliseconds(0);
  return limits;
}

bool opens_stream(int procedure) {
  return procedure == REMOTE_PROC_STORAGE_VOL_UPLOAD || procedure == REMOTE_PROC_STORAGE_VOL_DOWNLOAD;
}

std::string open_arguments(const UpstreamTarget& target) {
  Arena arena;
  remote_connect_open_args args{};
  args.name = arena.optional_text(target.uri);
  args.flags = target.read_only ? VIR_CONNECT_RO : 0;
  return xdr_encode(args).value_or("");
}

WireError error_of(const Frame& frame) {
  Decoded<virNetMessageError> decoded;
  if (!decoded.decode(frame.payload)) return rpc_error("unreadable error of another daemon");
  WireError error;
  error.code = decoded->code;
  error.domain = decoded->domain;
  if (decoded->message != nullptr) error.message = *decoded->message;
  return error;
}

// A daemon older than libvirt 5.8 has no such call; its access rules know no identity either.
bool may_go_without_identity(const WireError& error) {
  return error.code == VIR_ERR_NO_SUPPORT ||
         (error.code == VIR_ERR_RPC && error.message.starts_with("unknown procedure"));
}

}  // namespace

Upstream::Upstream(UniqueFd socket, UpstreamTarget target, std::shared_ptr<Client> downstream,
                   EndedHandler ended)
    : target_(std::move(target)),
      downstream_(std::move(downstream)),
      ended_(std::move(ended)),
      connection_(Client::create(std::move(socket), upstream_limits())) {
  connection_->start([this](const Frame& frame) { take(frame); },
                     [this] {
                       fail_all(Error(Error::Code::Internal,
                                      fmt::format("the daemon of {} ended the connection", target_.uri)));
                     });
  connection_->on_drained([this] { downstream_->set_paused(this, false); });
  begin(Step::ListAuthentication);
}

Upstream::~Upstream() {
  ended_ = nullptr;
  downstream_->set_paused(this, false);
  connection_->close();
}

void Upstream::send_own(int procedure, std::string_view payload) {
  connection_->send({.program = REMOTE_PROGRAM,
                     .version = REMOTE_PROTOCOL_VERSION,
                     .procedure = procedure,
                     .type = VIR_NET_CALL},
                    payload);
}

void Upstream::begin(Step step) {
  step_ = step;
  switch (step) {
    case Step::ListAuthentication:
      return send_own(REMOTE_PROC_AUTH_LIST, {});
    case Step::Polkit:
      return send_own(REMOTE_PROC_AUTH_POLKIT, {});
    case Step::Open:
      return send_own(REMOTE_PROC_CONNECT_OPEN, open_arguments(target_));
    case Step::SetIdentity:
      return send_own(REMOTE_PROC_CONNECT_SET_IDENTITY, identity_arguments(target_.identity));
    case Step::Ready:
      log::debug("client {}: calls go to the daemon of {}", downstream_->fd(), target_.uri);
      for (const auto& frame : std::exchange(waiting_, {})) send(frame);
  }
}

void Upstream::take(const Frame& frame) {
  if (step_ != Step::Ready) return take_own_reply(frame);
  frame.header.type == VIR_NET_REPLY ? take_reply(frame) : pass_down(frame);
}

void Upstream::take_own_reply(const Frame& frame) {
  if (frame.header.type != VIR_NET_REPLY) return;
  const bool failed = frame.header.status != VIR_NET_OK;
  const WireError error = failed ? error_of(frame) : WireError();
  if (failed && !(step_ == Step::SetIdentity && may_go_without_identity(error))) return fail_all(error);
  switch (step_) {
    case Step::ListAuthentication:
      return choose_authentication(frame);
    case Step::Polkit:
      return begin(Step::Open);
    case Step::Open:
      return begin(Step::SetIdentity);
    case Step::SetIdentity:
    case Step::Ready:
      return begin(Step::Ready);
  }
}

void Upstream::choose_authentication(const Frame& frame) {
  Decoded<remote_auth_list_ret> list;
  if (!list.decode(frame.payload)) return fail_all(rpc_error("Unable to decode message payload"));
  bool polkit = false;
  for (u_int i = 0; i < list->types.types_len; ++i) {
    if (list->types.types_val[i] == REMOTE_AUTH_NONE) return begin(Step::Open);
    polkit = polkit || list->types.types_val[i] == REMOTE_AUTH_POLKIT;
  }
  if (polkit) return begin(Step::Polkit);
  fail_all(wire_error(
      VIR_ERR_AUTH_FAILED,
      fmt::format("the daemon of {} wants an authentication that virttdxd does not have", target_.uri)));
}

void Upstream::call(const Frame& frame, std::shared_ptr<PendingReply> reply) {
  if (opens_stream(frame.header.procedure)) {
    FrameHeader stream = frame.header;
    stream.type = VIR_NET_STREAM;
    streams_.insert_or_assign(frame.header.serial, stream);
  }
  pending_.emplace(frame.header.serial, std::move(reply));
  send(frame);
}

void Upstream::send(const Frame& frame) {
  if (step_ != Step::Ready) {
    waiting_.push_back(frame);
    return;
  }
  connection_->send(frame.header, frame.payload);
  if (connection_->congested()) downstream_->set_paused(this, true);
}

void Upstream::take_reply(const Frame& frame) {
  const auto found = pending_.find(frame.header.serial);
  if (found == pending_.end())
    return log::warning("{}: reply to a call {} that was not made", target_.uri, frame.header.serial);
  const auto reply = std::move(found->second);
  pending_.erase(found);
  if (frame.header.status != VIR_NET_OK) streams_.erase(frame.header.serial);
  reply->relay(frame);
}

void Upstream::pass_down(const Frame& frame) {
  if (frame.header.type == VIR_NET_STREAM && frame.header.status != VIR_NET_CONTINUE)
    streams_.erase(frame.header.serial);
  downstream_->send(frame.header, frame.payload);
  if (downstream_->congested()) connection_->set_paused(this, true);
}

void Upstream::continue_output() { connection_->set_paused(this, false); }

void Upstream::fail_all(const WireError& error) {
  const auto ended = std::exchange(ended_, nullptr);
  if (!ended) return;
  waiting_.clear();
  for (const auto& [serial, reply] : std::exchange(pending_, {})) {
    reply->fail(error);
    streams_.erase(serial);
  }
  for (auto& [serial, header] : std::exchange(streams_, {})) {
    header.status = VIR_NET_ERROR;
    downstream_->send(header, encode_error(error));
  }
  ended();
}

}  // namespace virttdx::driver
