// SPDX-License-Identifier: GPL-2.0-or-later
// A handler for a call: its arguments decoded, its result encoded, whatever the session is.
#pragma once

#include <memory>

#include "rpc/pending_reply.h"

namespace virttdx::driver {

/// Decodes Args and calls; replies with libvirt's error when the payload is not an Args.
template <typename Args, typename Call>
void with_arguments(const Frame& frame, PendingReply& reply, Call call) {
  Decoded<Args> args;
  if (!args.decode(frame.payload)) return reply.fail(rpc_error("Unable to decode message payload"));
  call(*args);
}

template <typename Ret>
void reply_with(PendingReply& reply, const WireResult<>& result, const Ret& value) {
  if (!result) return reply.fail(result.error());
  const auto bytes = xdr_encode(value);
  bytes ? reply.succeed(*bytes) : reply.fail(bytes.error());
}

inline void reply_with(PendingReply& reply, const WireResult<>& result) {
  result ? reply.succeed({}) : reply.fail(result.error());
}

// The forms that a handler may have.
template <typename S>
void serve_as(WireResult<> (*handler)(S&), S& session, const Frame&,
              const std::shared_ptr<PendingReply>& reply) {
  reply_with(*reply, handler(session));
}

template <typename S, typename Args>
void serve_as(WireResult<> (*handler)(S&, const Args&), S& session, const Frame& frame,
              const std::shared_ptr<PendingReply>& reply) {
  with_arguments<Args>(frame, *reply, [&](const Args& args) { reply_with(*reply, handler(session, args)); });
}

template <typename S, typename Ret>
void serve_as(WireResult<> (*handler)(S&, Ret&, Arena&), S& session, const Frame&,
              const std::shared_ptr<PendingReply>& reply) {
  Arena arena;
  Ret value{};
  const auto result = handler(session, value, arena);
  reply_with(*reply, result, value);
}

template <typename S, typename Args, typename Ret>
void serve_as(WireResult<> (*handler)(S&, const Args&, Ret&, Arena&), S& session, const Frame& frame,
              const std::shared_ptr<PendingReply>& reply) {
  with_arguments<Args>(frame, *reply, [&](const Args& args) {
    Arena arena;
    Ret value{};
    const auto result = handler(session, args, value, arena);
    reply_with(*reply, result, value);
  });
}

template <typename S, typename Ret>
void serve_as(WireResult<> (*handler)(S&, Deferred<Ret>), S& session, const Frame&,
              const std::shared_ptr<PendingReply>& reply) {
  const auto accepted = handler(session, Deferred<Ret>(reply));
  if (!accepted) reply->fail(accepted.error());
}

/// A handler that answers later. What it returns as an error is answered at once.
template <typename S, typename Args, typename Ret>
void serve_as(WireResult<> (*handler)(S&, const Args&, Deferred<Ret>), S& session, const Frame& frame,
              const std::shared_ptr<PendingReply>& reply) {
  with_arguments<Args>(frame, *reply, [&](const Args& args) {
    const auto accepted = handler(session, args, Deferred<Ret>(reply));
    if (!accepted) reply->fail(accepted.error());
  });
}

}  // namespace virttdx::driver
