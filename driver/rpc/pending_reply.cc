// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/pending_reply.h"

#include "schemas/virnet_protocol.h"
#include "support/log.h"

namespace virttdx::driver {

PendingReply::PendingReply(const std::shared_ptr<Client>& client, const FrameHeader& call)
    : client_(client), call_(call) {
  client->call_began();
}

PendingReply::~PendingReply() {
  if (!answered_) fail(Error(Error::Code::Internal, "the operation ended without a result"));
}

void PendingReply::succeed(std::string_view payload) { send(VIR_NET_OK, payload); }

void PendingReply::fail(const WireError& error) {
  if (const auto client = client_.lock())
    log::debug("client {}: procedure {}, serial {} fails with error {}: {}", client->fd(), call_.procedure,
               call_.serial, error.code, error.message);
  send(VIR_NET_ERROR, encode_error(error));
}

void PendingReply::relay(const Frame& reply) { send(reply.header, reply.payload); }

void PendingReply::send(std::uint32_t status, std::string_view payload) {
  FrameHeader header = call_;
  header.type = VIR_NET_REPLY;
  header.status = status;
  send(header, payload);
}

void PendingReply::send(const FrameHeader& header, std::string_view payload) {
  CHECK(!answered_);
  answered_ = true;
  const auto client = client_.lock();
  if (!client) return;
  client->send(header, payload);
  client->call_ended();
}

}  // namespace virttdx::driver
