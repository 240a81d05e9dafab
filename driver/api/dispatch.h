// SPDX-License-Identifier: GPL-2.0-or-later
// From a procedure's number to its handler, with its arguments decoded and its result encoded.
#pragma once

#include <memory>

#include "api/session.h"
#include "rpc/pending_reply.h"

namespace virttdx::driver {

using ServeFunction = void (*)(Session&, const Frame&, std::shared_ptr<PendingReply>);

/// Null: not served, to be answered as unknown.
ServeFunction find_serve_function(int procedure);

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
inline void serve_as(WireResult<> (*handler)(Session&), Session& session, const Frame&,
                     const std::shared_ptr<PendingReply>& reply) {
  reply_with(*reply, handler(session));
}

template <typename Args>
void serve_as(WireResult<> (*handler)(Session&, const Args&), Session& session, const Frame& frame,
              const std::shared_ptr<PendingReply>& reply) {
  with_arguments<Args>(frame, *reply, [&](const Args& args) { reply_with(*reply, handler(session, args)); });
}

template <typename Ret>
void serve_as(WireResult<> (*handler)(Session&, Ret&, Arena&), Session& session, const Frame&,
              const std::shared_ptr<PendingReply>& reply) {
  Arena arena;
  Ret value{};
  const auto result = handler(session, value, arena);
  reply_with(*reply, result, value);
}

template <typename Args, typename Ret>
void serve_as(WireResult<> (*handler)(Session&, const Args&, Ret&, Arena&), Session& session,
              const Frame& frame, const std::shared_ptr<PendingReply>& reply) {
  with_arguments<Args>(frame, *reply, [&](const Args& args) {
    Arena arena;
    Ret value{};
    const auto result = handler(session, args, value, arena);
    reply_with(*reply, result, value);
  });
}

/// A handler that answers later. What it returns as an error is answered at once.
template <typename Args, typename Ret>
void serve_as(WireResult<> (*handler)(Session&, const Args&, Deferred<Ret>), Session& session,
              const Frame& frame, const std::shared_ptr<PendingReply>& reply) {
  with_arguments<Args>(frame, *reply, [&](const Args& args) {
    const auto accepted = handler(session, args, Deferred<Ret>(reply));
    if (!accepted) reply->fail(accepted.error());
  });
}

template <auto Handler>
void serve(Session& session, const Frame& frame, std::shared_ptr<PendingReply> reply) {
  serve_as(Handler, session, frame, reply);
}

}  // namespace virttdx::driver
