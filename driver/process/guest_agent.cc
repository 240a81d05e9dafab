// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/guest_agent.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace virttdx::driver {
namespace {

using nlohmann::json;

// libvirt's: how long an agent may take to show that it is there.
constexpr std::chrono::seconds kSyncPatience{5};
// libvirt's limit of an answer.
constexpr std::size_t kAnswerMaximum = 10U << 20;
constexpr int kDepthMaximum = 32;
// Marks the start of the answer to guest-sync-delimited; never part of JSON in UTF-8.
constexpr char kDelimiter = '\xFF';

std::int64_t random_id() {
  std::uint32_t id = 0;
  CHECK(getrandom(&id, sizeof(id), 0) == static_cast<ssize_t>(sizeof(id)));
  return id;
}

json parse(std::string_view line) {
  return json::parse(
      line.begin(), line.end(),
      [](int depth, json::parse_event_t, const json&) { return depth <= kDepthMaximum; }, false);
}

}  // namespace

GuestAgentCall::GuestAgentCall(UniqueFd channel, Command command, Handler handler)
    : channel_(std::move(channel)),
      command_(std::move(command)),
      handler_(std::move(handler)),
      sync_id_(random_id()),
      readable_(channel_.get(), QSocketNotifier::Read) {
  QObject::connect(&readable_, &QSocketNotifier::activated, &readable_, [this] { receive(); });
  late_.setSingleShot(true);
  QObject::connect(&late_, &QTimer::timeout, &late_, [this] { too_late(); });
  late_.start(kSyncPatience);
  // What an earlier client left half sent ends here.
  output_ = kDelimiter;
  send({{"execute", "guest-sync-delimited"}, {"arguments", {{"id", sync_id_}}}});
}

void GuestAgentCall::stop() {
  readable_.setEnabled(false);
  late_.stop();
  handler_ = nullptr;
}

// Commands are short: a channel that does not take one is stuck, and the answer does not come.
void GuestAgentCall::send(const json& message) {
  output_ += message.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
  const ssize_t size = ::send(channel_.get(), output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) output_.erase(0, static_cast<std::size_t>(size));
}

void GuestAgentCall::receive() {
  std::array<char, 65536> buffer;
  const ssize_t size = recv(channel_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return guest_ended();
  if (input_.size() + static_cast<std::size_t>(size) > kAnswerMaximum)
    return finish(fail(Error::Code::InvalidData, "the guest agent's answer to '{}' is longer than {} bytes",
                       command_.name, kAnswerMaximum));
  input_.append(buffer.data(), static_cast<std::size_t>(size));
  take_lines();
}

void GuestAgentCall::guest_ended() {
  if (synchronized_ && command_.silence_is_success) return finish(json());
  finish(fail(Error::Code::NotFound, "QEMU guest agent is not connected"));
}

void GuestAgentCall::take_lines() {
  for (auto end = input_.find('\n'); handler_ && end != std::string::npos; end = input_.find('\n')) {
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    // Whatever came before it answers somebody else's commands.
    if (const auto mark = line.rfind(kDelimiter); mark != std::string::npos) line.erase(0, mark + 1);
    if (!line.empty()) take(parse(line));
  }
}

void GuestAgentCall::take(const json& message) {
  if (synchronized_) return take_answer(message);
  // Until the answer with our number all is old.
  if (!message.is_object() || message.value("return", json()) != json(sync_id_)) return;
  synchronized_ = true;
  late_.stop();
  const auto patience = command_.silence_is_success ? command_.silence_is_success : command_.patience;
  if (patience) late_.start(*patience);
  json request = {{"execute", command_.name}};
  if (!command_.arguments.empty()) request["arguments"] = command_.arguments;
  send(request);
}

void GuestAgentCall::take_answer(const json& message) {
  if (!message.is_object())
    return finish(
        fail(Error::Code::InvalidData, "cannot parse the guest agent's answer to '{}'", command_.name));
  if (const auto value = message.find("return"); value != message.end()) return finish(*value);
  const auto error = message.find("error");
  if (error == message.end()) return;
  const json text = error->is_object() ? error->value("desc", json("unknown error")) : json("unknown error");
  finish(fail(Error::Code::Internal, "unable to execute QEMU agent command '{}': {}", command_.name,
              text.is_string() ? text.get<std::string>().substr(0, 512) : "unknown error"));
}

void GuestAgentCall::too_late() {
  if (synchronized_ && command_.silence_is_success) return finish(json());
  finish(fail(Error::Code::TimedOut, "Guest agent not available for now"));
}

void GuestAgentCall::finish(Result<json> result) {
  const auto handler = std::exchange(handler_, nullptr);
  stop();
  if (handler) handler(std::move(result));
}

}  // namespace virttdx::driver
