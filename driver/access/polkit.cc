// SPDX-License-Identifier: GPL-2.0-or-later
// The interface: https://www.freedesktop.org/software/polkit/docs/latest/
// eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html
#include "access/polkit.h"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <cstring>

#include "support/log.h"

namespace virttdx::driver {
namespace {

constexpr auto kService = "org.freedesktop.PolicyKit1";
constexpr auto kObject = "/org/freedesktop/PolicyKit1/Authority";
constexpr auto kInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t kAllowUserInteraction = 1;

Result<> append_details(sd_bus_message* message, const PolkitQuestion& question) {
  TRY(check_bus(sd_bus_message_open_container(message, 'a', "{ss}"), "details for polkit"));
  for (const auto& [key, value] : question.details)
    TRY(check_bus(sd_bus_message_append(message, "{ss}", key.c_str(), value.c_str()), "details for polkit"));
  return check_bus(sd_bus_message_close_container(message), "details for polkit");
}

Result<> append_question(sd_bus_message* message, const Peer& subject, const PolkitQuestion& question) {
  TRY(check_bus(
      sd_bus_message_append(message, "(sa{sv})s", "unix-process", 3, "pid", "u",
                            static_cast<std::uint32_t>(subject.pid), "start-time", "t", subject.process_start,
                            "uid", "i", static_cast<std::int32_t>(subject.uid), question.action.c_str()),
      "question for polkit"));
  TRY(append_details(message, question));
  const std::uint32_t flags = question.may_ask_user ? kAllowUserInteraction : 0;
  return check_bus(sd_bus_message_append(message, "us", flags, ""), "question for polkit");
}

Result<bool> read_dismissed(sd_bus_message* message) {
  bool dismissed = false;
  const char *key = nullptr, *value = nullptr;
  TRY(check_bus(sd_bus_message_enter_container(message, 'a', "{ss}"), "answer of polkit"));
  while (sd_bus_message_read(message, "{ss}", &key, &value) > 0)
    dismissed = dismissed || (std::strcmp(key, "polkit.dismissed") == 0 && std::strcmp(value, "true") == 0);
  return dismissed;
}

Result<PolkitVerdict> read_verdict(sd_bus_message* message) {
  int authorized = 0, challenge = 0;
  TRY(check_bus(sd_bus_message_enter_container(message, 'r', "bba{ss}"), "answer of polkit"));
  TRY(check_bus(sd_bus_message_read(message, "bb", &authorized, &challenge), "answer of polkit"));
  if (authorized != 0) return PolkitVerdict::Allowed;
  if (TRY(read_dismissed(message))) return PolkitVerdict::Dismissed;
  return challenge != 0 ? PolkitVerdict::NoAgent : PolkitVerdict::Denied;
}

std::string remedy_for(std::string_view error, const std::string& action) {
  if (error.find("is not registered") == std::string_view::npos) return "";
  return action.starts_with("org.libvirt.unix.")
             ? "; install libvirt's org.libvirt.unix.policy (Debian's libvirt-daemon-system has it)"
             : "; install libvirt's org.libvirt.api.policy (Debian's libvirt-daemon-system has it)";
}

tl::unexpected<Error> error_of(const Error& error, const std::string& action) {
  if (error.code() == Error::Code::TimedOut)
    return fail(Error::Code::TimedOut, "polkit does not answer about action '{}'", action);
  return fail(error.code(), "{}{}", error.message(), remedy_for(error.message(), action));
}

}  // namespace

void Polkit::ask(const Peer& subject, const PolkitQuestion& question, Handler handler) {
  // Its asker may ask more, or end a client: not in the midst of what calls this.
  const auto finish = [handler = std::move(handler)](Result<PolkitVerdict> verdict) {
    QTimer::singleShot(0, [handler, verdict = std::move(verdict)] { handler(verdict); });
  };
  // Without its start time polkit would take the process that has the number now.
  if (subject.process_start == 0)
    return finish(fail(Error::Code::NotFound, "the client's process {} has ended", subject.pid));
  auto message = bus_.new_call({kService, kObject, kInterface, "CheckAuthorization"});
  if (message)
    if (const auto appended = append_question(message->get(), subject, question); !appended)
      message = tl::unexpected(appended.error());
  if (!message) return finish(tl::unexpected(message.error()));
  bus_.call(*message, question.patience,
            [finish, action = question.action](const Result<sd_bus_message*>& answer) {
              answer ? finish(read_verdict(*answer)) : finish(error_of(answer.error(), action));
            });
}

}  // namespace virttdx::driver
