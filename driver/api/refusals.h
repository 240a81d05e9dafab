// SPDX-License-Identifier: GPL-2.0-or-later
// What a TD can never do, or this host cannot: procedures that are answered with a reason.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "api/access_arguments.h"
#include "api/session.h"
#include "rpc/pending_reply.h"

namespace virttdx::driver {

/// What has to exist for the reason to be the answer; else that it does not is.
enum class RefusalScope : std::uint8_t {
  Connection,
  Domain,
  RunningDomain,
  Snapshot,    ///< of a domain; there is none
  Checkpoint,  ///< of a domain; there is none
};

struct Refusal {
  int procedure;
  RefusalScope scope;
  int code;  ///< virErrorNumber
  std::string_view reason;
};

std::span<const Refusal> all_refusals();
/// Null: the procedure is not refused.
const Refusal* find_refusal(int procedure);
void refuse(Session& session, const Frame& frame, PendingReply& reply, const Refusal& refusal);
/// Of the call that is refused. Its flags are not looked at.
AccessArguments refusal_arguments(Session& session, const Frame& frame, const Refusal& refusal);

/// Calls of libvirt that make no sense here at all, answered as not supported by the driver, with the reason
/// for docs/api.md.
struct NotApplicable {
  int procedure;
  std::string_view reason;
};
std::span<const NotApplicable> not_applicable();

}  // namespace virttdx::driver
