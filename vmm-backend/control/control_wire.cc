// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/control_wire.h"

#include <cstring>

#include "control/descriptor_passing.h"
#include "control/enum_names.h"
#include "control/json_fields.h"

namespace virttdx::control_wire {

struct WireError {
  Error::Code code = Error::Code::Internal;
  std::string message;
  int system_errno = 0;
};

template <typename Visitor>
void describe(Visitor& visit, WireError& error) {
  visit.required("code", error.code);
  visit.required("message", error.message);
  visit.optional("errno", error.system_errno);
}

namespace {

constexpr std::string_view kGreetingMember = "virttdx-monitor";

std::string line_of(const nlohmann::json& json) { return to_text(json) + '\n'; }

// "result" and "arguments" are free-form here: their own readers are strict about them.
const nlohmann::json* member(const nlohmann::json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

Result<> refuse_others(const nlohmann::json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      return fail(Error::Code::InvalidData, "/: unknown member \"{}\"; known are: {}", name.substr(0, 60),
                  fmt::join(known, ", "));
  return {};
}

Result<nlohmann::json> parse_object(std::string_view line) {
  auto json = TRY(parse_json(line, kControlMessageMaximum));
  if (!json.is_object()) return json_detail::mismatch("/", "an object", json);
  return json;
}

Result<std::uint64_t> id_of(const nlohmann::json& object) {
  const auto* const id = member(object, "id");
  if (id == nullptr) return fail(Error::Code::InvalidData, "/: member \"id\" is missing");
  return json_detail::read_unsigned(*id, "/id", UINT64_MAX);
}

Result<Incoming> parse_reply(const nlohmann::json& object) {
  Incoming reply;
  reply.id = TRY(id_of(object));
  TRY(refuse_others(object, {"id", "result", "error", "descriptors"}));
  const auto* const result = member(object, "result");
  const auto* const error = member(object, "error");
  if ((result == nullptr) == (error == nullptr))
    return fail(Error::Code::InvalidData, "/: a reply has either \"result\" or \"error\"");
  if (result != nullptr) {
    reply.result = *result;
  } else {
    const auto wire = TRY(from_json<WireError>(*error, "/error"));
    reply.result = tl::unexpected<Error>(Error(wire.code, wire.message, wire.system_errno));
  }
  if (const auto* const count = member(object, "descriptors"))
    reply.has_descriptor = TRY(json_detail::read_unsigned(*count, "/descriptors", 1)) == 1;
  return reply;
}

}  // namespace

std::string greeting_line() {
  return line_of({{std::string(kGreetingMember), kControlProtocolVersion}, {"version", VIRTTDX_VERSION}});
}

std::string command_line(const Command& command) {
  nlohmann::json line = {{"id", command.id}, {"command", command.name}, {"arguments", command.arguments}};
  if (command.descriptors != 0) line["descriptors"] = command.descriptors;
  return line_of(line);
}

std::string result_line(std::uint64_t id, const nlohmann::json& result, unsigned descriptors) {
  nlohmann::json reply = {{"id", id}, {"result", result}};
  if (descriptors != 0) reply["descriptors"] = descriptors;
  return line_of(reply);
}

std::string error_line(std::uint64_t id, const Error& error) {
  return line_of(
      {{"id", id}, {"error", to_json_value(WireError{error.code(), error.message(), error.system_errno()})}});
}

std::string event_line(const MonitorEvent& event) { return line_of(monitor_event_to_json(event)); }

// Members that a later version adds to the greeting are no reason to refuse it: the number is what counts.
Result<> check_greeting(std::string_view line) {
  const auto object = TRY(parse_object(line));
  const auto* const version = member(object, kGreetingMember);
  if (version == nullptr)
    return fail(Error::Code::InvalidData, "no monitor's greeting: {}", line.substr(0, 60));
  const auto number = TRY(json_detail::read_unsigned(*version, "/virttdx-monitor", UINT64_MAX));
  if (number != kControlProtocolVersion)
    return fail(Error::Code::InvalidData,
                "monitor speaks control protocol {}, this program {}; use its own version", number,
                kControlProtocolVersion);
  return {};
}

Result<Command> parse_command(std::string_view line) {
  const auto object = TRY(parse_object(line));
  Command command;
  command.id = TRY(id_of(object));
  TRY(refuse_others(object, {"id", "command", "arguments", "descriptors"}));
  const auto* const name = member(object, "command");
  if (name == nullptr) return fail(Error::Code::InvalidData, "/: member \"command\" is missing");
  TRY(read_value(*name, "/command", command.name));
  if (const auto* const arguments = member(object, "arguments")) command.arguments = *arguments;
  if (!command.arguments.is_object())
    return json_detail::mismatch("/arguments", "an object", command.arguments);
  if (const auto* const count = member(object, "descriptors"))
    command.descriptors =
        static_cast<unsigned>(TRY(json_detail::read_unsigned(*count, "/descriptors", kDescriptorsMaximum)));
  return command;
}

Result<Incoming> parse_incoming(std::string_view line) {
  const auto object = TRY(parse_object(line));
  if (!object.contains("event")) return parse_reply(object);
  Incoming incoming;
  incoming.is_event = true;
  incoming.event = TRY(monitor_event_from_json(object));
  return incoming;
}

Result<sockaddr_un> socket_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& text = path.native();
  if (text.empty() || text.size() >= sizeof address.sun_path)
    return fail(Error::Code::InvalidArgument, "socket path '{}' has {} bytes; 1 to {} are possible", text,
                text.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

}  // namespace virttdx::control_wire
