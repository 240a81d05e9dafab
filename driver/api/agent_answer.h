// SPDX-License-Identifier: GPL-2.0-or-later
// What handlers share that ask the guest agent. Its answers are a guest's: a member may be of any type, or
// missing.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/session.h"
#include "rpc/wire_error.h"

namespace virttdx::driver::api {

/// More members of one list are not handed on.
inline constexpr std::size_t kAgentListMaximum = 256;

using AgentHandler = std::function<void(WireResult<nlohmann::json>)>;
/// Asks the agent of a domain; errors have libvirt's codes (AGENT_UNRESPONSIVE, ARGUMENT_UNSUPPORTED).
void ask_agent(Session& session, const RecordPtr& record, GuestAgentCall::Command command,
               AgentHandler handler);

/// Longer texts are cut.
inline constexpr std::size_t kAgentTextMaximum = 4096;

/// A member that is a text, cut to `maximum` bytes.
std::optional<std::string> text_of(const nlohmann::json& object, std::string_view name,
                                   std::size_t maximum = kAgentTextMaximum);
std::optional<std::int64_t> integer_of(const nlohmann::json& object, std::string_view name);
std::optional<double> number_of(const nlohmann::json& object, std::string_view name);
/// A member that is a list; empty when it is not.
nlohmann::json list_of(const nlohmann::json& object, std::string_view name);
/// A member that is an object; null when it is not.
nlohmann::json object_of(const nlohmann::json& object, std::string_view name);
/// The first kAgentListMaximum of a list; of anything else nothing.
nlohmann::json bounded_list(const nlohmann::json& list);

}  // namespace virttdx::driver::api
