// SPDX-License-Identifier: GPL-2.0-or-later
// From a procedure's number to its handler.
#pragma once

#include <memory>
#include <vector>

#include "api/session.h"
#include "rpc/serve.h"

namespace virttdx::driver {

using ServeFunction = void (*)(Session&, const Frame&, std::shared_ptr<PendingReply>);

/// Those that have a handler here.
std::vector<int> served_procedures();
/// Null: no handler.
ServeFunction find_serve_function(int procedure);

template <auto Handler>
void serve(Session& session, const Frame& frame, std::shared_ptr<PendingReply> reply) {
  serve_as(Handler, session, frame, reply);
}

}  // namespace virttdx::driver
