// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/agent_answer.h"

#include <libvirt/virterror.h>

namespace virttdx::driver::api {
namespace {

using nlohmann::json;

WireError agent_error(const Error& error) {
  switch (error.code()) {
    case Error::Code::ConfigUnsupported:
      return wire_error(VIR_ERR_ARGUMENT_UNSUPPORTED, error.message());
    case Error::Code::NotFound:
    case Error::Code::TimedOut:
      return wire_error(VIR_ERR_AGENT_UNRESPONSIVE, error.message());
    default:
      return error;
  }
}

const json* member(const json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

void ask_agent(Session& session, const RecordPtr& record, GuestAgentCall::Command command,
               AgentHandler handler) {
  session.service().ask_agent(record, std::move(command),
                              [handler = std::move(handler)](Result<json> answer) {
                                if (!answer) return handler(tl::unexpected(agent_error(answer.error())));
                                handler(*std::move(answer));
                              });
}

std::optional<std::string> text_of(const json& object, std::string_view name, std::size_t maximum) {
  const auto* found = member(object, name);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>().substr(0, maximum);
}

std::optional<std::int64_t> integer_of(const json& object, std::string_view name) {
  const auto* found = member(object, name);
  if (found == nullptr || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::optional<double> number_of(const json& object, std::string_view name) {
  const auto* found = member(object, name);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

json object_of(const json& object, std::string_view name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_object() ? *found : json();
}

json bounded_list(const json& list) {
  json bounded = json::array();
  if (!list.is_array()) return bounded;
  for (const auto& entry : list)
    if (bounded.size() < kAgentListMaximum) bounded.push_back(entry);
  return bounded;
}

json list_of(const json& object, std::string_view name) {
  const auto* found = member(object, name);
  return found == nullptr ? json::array() : bounded_list(*found);
}

}  // namespace virttdx::driver::api
