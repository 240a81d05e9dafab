// SPDX-License-Identifier: GPL-2.0-or-later
// From a procedure's number to its handler.
#pragma once

#include <memory>
#include <vector>

#include "api/access_arguments.h"
#include "api/session.h"
#include "rpc/serve.h"

namespace virttdx::driver {

using ServeFunction = void (*)(Session&, const Frame&, std::shared_ptr<PendingReply>);
struct Served {
  ServeFunction call;
  AccessFunction access_arguments;
};

/// Those that have a handler here.
std::vector<int> served_procedures();
/// Null: no handler.
const Served* find_served(int procedure);

template <auto Handler>
void serve_call(Session& session, const Frame& frame, std::shared_ptr<PendingReply> reply) {
  serve_as(Handler, session, frame, reply);
}

template <auto Handler>
inline constexpr Served serve = {&serve_call<Handler>, &access_arguments<Handler>};

}  // namespace virttdx::driver
