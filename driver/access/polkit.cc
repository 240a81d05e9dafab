// SPDX-License-Identifier: GPL-2.0-or-later
// The interface: https://www.freedesktop.org/software/polkit/docs/latest/
// eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html
#include "access/polkit.h"

#include <poll.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "support/log.h"

namespace virttdx::driver {
namespace {

constexpr auto kService = "org.freedesktop.PolicyKit1";
constexpr auto kObject = "/org/freedesktop/PolicyKit1/Authority";
constexpr auto kInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr std::uint32_t kAllowUserInteraction = 1;

template <auto kUnref>
struct Unref {
  template <typename T>
  void operator()(T* object) const {
    kUnref(object);
  }
};
using Message = std::unique_ptr<sd_bus_message, Unref<sd_bus_message_unref>>;

Result<> checked(int result, std::string_view what) {
  if (result < 0) return fail_errno(-result, "{}", what);
  return {};
}

Result<> append_details(sd_bus_message* message, const PolkitQuestion& question) {
  TRY(checked(sd_bus_message_open_container(message, 'a', "{ss}"), "details for polkit"));
  for (const auto& [key, value] : question.details)
    TRY(checked(sd_bus_message_append(message, "{ss}", key.c_str(), value.c_str()), "details for polkit"));
  return checked(sd_bus_message_close_container(message), "details for polkit");
}

Result<Message> check_authorization(sd_bus* bus, const Peer& subject, const PolkitQuestion& question) {
  sd_bus_message* made = nullptr;
  TRY(checked(sd_bus_message_new_method_call(bus, &made, kService, kObject, kInterface, "CheckAuthorization"),
              "question for polkit"));
  Message message(made);
  TRY(checked(
      sd_bus_message_append(made, "(sa{sv})s", "unix-process", 3, "pid", "u",
                            static_cast<std::uint32_t>(subject.pid), "start-time", "t", subject.process_start,
                            "uid", "i", static_cast<std::int32_t>(subject.uid), question.action.c_str()),
      "question for polkit"));
  TRY(append_details(made, question));
  const std::uint32_t flags = question.may_ask_user ? kAllowUserInteraction : 0;
  TRY(checked(sd_bus_message_append(made, "us", flags, ""), "question for polkit"));
  return message;
}

Result<bool> read_dismissed(sd_bus_message* message) {
  bool dismissed = false;
  const char *key = nullptr, *value = nullptr;
  TRY(checked(sd_bus_message_enter_container(message, 'a', "{ss}"), "answer of polkit"));
  while (sd_bus_message_read(message, "{ss}", &key, &value) > 0)
    dismissed = dismissed || (std::strcmp(key, "polkit.dismissed") == 0 && std::strcmp(value, "true") == 0);
  return dismissed;
}

Result<PolkitVerdict> read_verdict(sd_bus_message* message) {
  int authorized = 0, challenge = 0;
  TRY(checked(sd_bus_message_enter_container(message, 'r', "bba{ss}"), "answer of polkit"));
  TRY(checked(sd_bus_message_read(message, "bb", &authorized, &challenge), "answer of polkit"));
  if (authorized != 0) return PolkitVerdict::Allowed;
  if (TRY(read_dismissed(message))) return PolkitVerdict::Dismissed;
  return challenge != 0 ? PolkitVerdict::NoAgent : PolkitVerdict::Denied;
}

std::string remedy_for(const sd_bus_error& error, const std::string& action) {
  const std::string_view text = error.message == nullptr ? "" : error.message;
  if (text.find("is not registered") == std::string_view::npos) return "";
  return action.starts_with("org.libvirt.unix.")
             ? "; install libvirt's org.libvirt.unix.policy (Debian's libvirt-daemon-system has it)"
             : "; install libvirt's org.libvirt.api.policy (Debian's libvirt-daemon-system has it)";
}

tl::unexpected<Error> error_of(const sd_bus_error& error, const std::string& action) {
  if (sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) != 0 ||
      sd_bus_error_has_name(&error, SD_BUS_ERROR_TIMEOUT) != 0)
    return fail(Error::Code::TimedOut, "polkit does not answer about action '{}'", action);
  return fail(Error::Code::System, "{}: {}{}", error.name, error.message == nullptr ? "" : error.message,
              remedy_for(error, action));
}

}  // namespace

void Polkit::Notifiers::stop() {
  readable.setEnabled(false);
  writable.setEnabled(false);
  timeout.stop();
}

Polkit::~Polkit() {
  if (bus_ != nullptr) sd_bus_close_unref(bus_);
}

Result<> Polkit::connect() {
  if (bus_ != nullptr) return {};
  TRY(checked(sd_bus_open_system(&bus_), "connect to the system bus"));
  notifiers_.reset(new Notifiers(sd_bus_get_fd(bus_)));
  auto* const made = notifiers_.get();
  QObject::connect(&made->readable, &QSocketNotifier::activated, &made->readable, [this] { process(); });
  QObject::connect(&made->writable, &QSocketNotifier::activated, &made->writable, [this] { process(); });
  QObject::connect(&made->timeout, &QTimer::timeout, &made->timeout, [this] { process(); });
  made->timeout.setSingleShot(true);
  return {};
}

void Polkit::ask(const Peer& subject, const PolkitQuestion& question, Handler handler) {
  Call& call = calls_.emplace_back(Call{this, question.action, std::move(handler)});
  // Without its start time polkit would take the process that has the number now.
  const auto sent =
      subject.process_start == 0
          ? Result<>(fail(Error::Code::NotFound, "the client's process {} has ended", subject.pid))
          : connect().and_then([&] { return send(subject, question, call); });
  if (!sent) return finish(call, tl::unexpected(sent.error()));
  wait();
}

Result<> Polkit::send(const Peer& subject, const PolkitQuestion& question, Call& call) {
  const auto message = TRY(check_authorization(bus_, subject, question));
  const auto callback = [](sd_bus_message* reply, void* data, sd_bus_error*) {
    return answered(reply, data);
  };
  const auto patience = std::chrono::microseconds(question.patience);
  return checked(sd_bus_call_async(bus_, nullptr, message.get(), callback, &call,
                                   static_cast<std::uint64_t>(patience.count())),
                 "ask polkit");
}

int Polkit::answered(sd_bus_message* message, void* data) {
  auto& call = *static_cast<Call*>(data);
  if (const sd_bus_error* error = sd_bus_message_get_error(message); error != nullptr)
    call.polkit->finish(call, error_of(*error, call.action));
  else
    call.polkit->finish(call, read_verdict(message));
  return 0;
}

// Its asker may ask more, or end a client: not in the midst of what calls this.
void Polkit::finish(Call& call, Result<PolkitVerdict> verdict) {
  QTimer::singleShot(0,
                     [handler = std::move(call.handler), verdict = std::move(verdict)] { handler(verdict); });
  calls_.remove_if([&](const Call& other) { return &other == &call; });
}

void Polkit::process() {
  int more = 0;
  do more = sd_bus_process(bus_, nullptr);
  while (more > 0);
  more < 0 ? disconnect(std::strerror(-more)) : wait();
}

void Polkit::wait() {
  const int events = sd_bus_get_events(bus_);
  std::uint64_t deadline = UINT64_MAX;
  if (events < 0 || sd_bus_get_timeout(bus_, &deadline) < 0) return disconnect("the system bus is gone");
  notifiers_.get()->writable.setEnabled((events & POLLOUT) != 0);
  if (deadline == UINT64_MAX) return notifiers_.get()->timeout.stop();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  const std::uint64_t left = deadline > microseconds ? (deadline - microseconds + 999) / 1000 : 0;
  notifiers_.get()->timeout.start(std::chrono::milliseconds(std::min<std::uint64_t>(left, 3'600'000)));
}

void Polkit::disconnect(const std::string& reason) {
  notifiers_.reset();
  sd_bus_close_unref(std::exchange(bus_, nullptr));
  while (!calls_.empty())
    finish(calls_.front(), fail(Error::Code::System, "the system bus ended the connection: {}", reason));
}

}  // namespace virttdx::driver
