// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/status.h"

#include <array>
#include <limits>

#include "elements/elements.h"
#include "status/state_names.h"
#include "values/codecs.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

struct Count64 {
  static Result<std::uint64_t> decode(std::string_view text) {
    const auto value = TRY(SignedNumber::decode(text));
    if (value < 0) return fail(Error::Code::XmlInvalid, "expected a number that is not negative");
    return static_cast<std::uint64_t>(value);
  }
  static std::string encode(std::uint64_t value) { return std::to_string(value); }
};

/// 0: the monitor has not been started yet.
struct ProcessId {
  static Result<int> decode(std::string_view text) {
    const auto value = TRY(SignedNumber::decode(text));
    if (value < 0 || value > std::numeric_limits<pid_t>::max())
      return fail(Error::Code::XmlInvalid, "expected the number of a process");
    return static_cast<int>(value);
  }
  static std::string encode(int value) { return std::to_string(value); }
};

struct StatusDocument : DomainStatus {
  std::string state_text;
  std::string reason_text;
};
struct Message {
  std::string text;
};

constexpr RowOptions kRequired{.required = true};
constexpr std::array kTable = {
    property<&StatusDocument::state_text, NonEmptyText>("@state", kRequired),
    property<&StatusDocument::reason_text, NonEmptyText>("@reason", kRequired),
    property<&DomainStatus::pid, ProcessId, StatusDocument>("@pid", kRequired),
    property<&DomainStatus::pid_start_time, Count64, StatusDocument>("process/@startTime", kRequired),
    property<&DomainStatus::transient, Presence, StatusDocument>("transient"),
    property<&DomainStatus::resume_when_verified, Presence, StatusDocument>("resumeWhenVerified"),
    property<&DomainStatus::monitor_socket, AbsolutePath, StatusDocument>("monitor/@path", kRequired),
};
constexpr std::array kMessageTable = {property<&Message::text, Text>(".")};
constexpr std::array kChildren = {ChildRule{"message", true}, ChildRule{"domain"}};

Result<> read_state(const Place& place, StatusDocument& status) {
  const auto state = state_of(status.state_text);
  if (!state) return fail_at(place.element, Error::Code::XmlInvalid, "unknown state '{}'", status.state_text);
  const auto reason = reason_of(*state, status.reason_text);
  if (!reason)
    return fail_at(place.element, Error::Code::XmlInvalid, "unknown reason '{}' of state '{}'",
                   status.reason_text, status.state_text);
  status.state = *state;
  status.reason = *reason;
  return {};
}

}  // namespace

Result<DomainStatus> parse_status(std::string_view xml) {
  const auto root = TRY(xml::read_document(xml));
  const Place place{root, "/domstatus"};
  if (root.name != "domstatus")
    return fail_at(root, Error::Code::XmlInvalid, "unexpected root element '{}', expected 'domstatus'",
                   root.name);
  StatusDocument status;
  TRY(read_properties(place, kTable, status, kChildren));
  TRY(read_state(place, status));
  for (const auto& child : root.children) {
    if (child.name != "message") continue;
    Message message;
    TRY(read_properties(place.child(child), kMessageTable, message));
    status.messages.push_back(std::move(message.text));
  }
  const auto* domain = root.child("domain");
  if (domain == nullptr) return tl::unexpected<Error>(missing_value(place, "domain"));
  status.domain = TRY(read_domain({*domain, "/domain"}));
  return status;
}

std::string format_status(const DomainStatus& status) {
  CHECK(!reason_name(status.state, status.reason).empty());
  xml::Element root;
  root.name = "domstatus";
  const StatusDocument document{status, std::string(state_name(status.state)),
                                std::string(reason_name(status.state, status.reason))};
  write_properties(root, kTable, document, {});
  for (const auto& message : status.messages)
    write_properties(root.add_child("message"), kMessageTable, Message{message}, {});
  root.children.push_back(write_domain(status.domain, {}));
  return xml::write_element(root);
}

}  // namespace virttdx::domain_xml
