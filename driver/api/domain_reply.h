// SPDX-License-Identifier: GPL-2.0-or-later
// Replies to calls about domains, for when their outcome is known.
#pragma once

#include "api/session.h"
#include "api/wire_domain.h"
#include "rpc/pending_reply.h"

namespace virttdx::driver::api {

inline Completion finish(const Deferred<void>& reply) {
  return [reply](const Result<>& result) { reply.finish(result); };
}

/// Answers with the domain as it is then, its new id included.
template <typename Ret>
void reply_with_domain(const Deferred<Ret>& reply, const DomainRecord& record) {
  Arena arena;
  Ret ret{};
  ret.dom = wire_domain(arena, record);
  reply.succeed(ret);
}

template <typename Ret>
DomainService::RecordHandler finish_with_domain(const Deferred<Ret>& reply) {
  return [reply](const Result<RecordPtr>& record) {
    record ? reply_with_domain(reply, **record) : reply.fail(record.error());
  };
}

}  // namespace virttdx::driver::api
