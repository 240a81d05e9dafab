// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/monitor_link.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "support/log.h"

namespace virttdx::driver {
namespace {

Error connection_lost() { return {Error::Code::WrongState, "the domain's monitor ended before it answered"}; }

}  // namespace

MonitorLink::MonitorLink(ControlClient client, std::chrono::milliseconds patience, EventHandler event,
                         ClosedHandler closed)
    : client_(std::move(client)),
      event_(std::move(event)),
      closed_(std::move(closed)),
      patience_(patience),
      readable_(client_.fd(), QSocketNotifier::Read) {
  QObject::connect(&readable_, &QSocketNotifier::activated, &readable_, [this] { receive(); });
  late_.setSingleShot(true);
  QObject::connect(&late_, &QTimer::timeout, &late_, [this] { fail_late(); });
}

void MonitorLink::send(std::string_view command, const nlohmann::json& arguments, ReplyHandler handler) {
  const auto id = stopped_     ? Result<std::uint64_t>(tl::unexpected(connection_lost()))
                  : is_stuck() ? Result<std::uint64_t>(tl::unexpected(stuck()))
                               : client_.send(command, arguments);
  if (!id) return handler({.id = 0, .result = tl::unexpected(id.error()), .fd = {}});
  log::debug("monitor at {}: command {}, '{}'", client_.fd(), *id, command);
  pending_.emplace(*id, Pending{std::string(command), std::move(handler), std::chrono::steady_clock::now()});
  if (!late_.isActive()) watch_late();
}

void MonitorLink::send_stop() {
  if (stopped_) return;
  const auto id = client_.send(control_command::kStop);
  if (id) pending_.emplace(*id, Pending{std::string(control_command::kStop), {}, {}, true});
}

// libvirt's words for a domain whose one job does not end; the oldest command holds it.
Error MonitorLink::stuck() const {
  return {Error::Code::TimedOut, fmt::format("cannot acquire state change lock (held by monitor={})",
                                             pending_.begin()->second.command)};
}

std::optional<std::chrono::milliseconds> MonitorLink::oldest_wait() const {
  if (pending_.empty()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               pending_.begin()->second.since);
}

void MonitorLink::fail_late() {
  if (stopped_ || pending_.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  const Error error = stuck();
  std::vector<ReplyHandler> late;
  for (auto& [id, pending] : pending_) {
    if (pending.is_late || pending.since + patience_ > now) continue;
    pending.is_late = true;
    late.push_back(pending.handler);
    log::warning("monitor: no reply to '{}' for {} ms", pending.command, patience_.count());
  }
  watch_late();
  for (const auto& handler : late) handler({.id = 0, .result = tl::unexpected(error), .fd = {}});
}

void MonitorLink::watch_late() {
  const auto next =
      std::ranges::find(pending_, false, [](const auto& entry) { return entry.second.is_late; });
  if (next == pending_.end()) return late_.stop();
  const auto left = next->second.since + patience_ - std::chrono::steady_clock::now();
  late_.start(std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(0)));
}

void MonitorLink::receive() {
  auto messages = client_.receive();
  if (messages) {
    for (auto& message : *messages)
      if (!stopped_) deliver(std::move(message));
    return;
  }
  if (messages.error().code() != Error::Code::WrongState)
    log::error("monitor: {}", messages.error().message());
  const auto closed = std::exchange(closed_, nullptr);
  stop();
  if (closed) closed();
}

void MonitorLink::deliver(ControlMessage message) {
  if (const auto* event = std::get_if<MonitorEvent>(&message)) {
    log::debug("monitor at {}: event {}", client_.fd(), to_name(event->kind));
    return event_(*event);
  }
  auto& reply = std::get<ControlReply>(message);
  const auto found = pending_.find(reply.id);
  if (found == pending_.end())
    return log::warning("monitor: reply to command {} that was not sent", reply.id);
  log::debug("monitor at {}: command {} {}{}", client_.fd(), reply.id,
             reply.result ? "is done" : "fails: ", reply.result ? "" : reply.result.error().message());
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  if (!pending.is_late) pending.handler(std::move(reply));
}

void MonitorLink::stop() {
  if (std::exchange(stopped_, true)) return;
  readable_.setEnabled(false);
  late_.stop();
  fail_pending();
}

void MonitorLink::fail_pending() {
  for (auto& [id, pending] : std::exchange(pending_, {}))
    if (!pending.is_late) pending.handler({.id = id, .result = tl::unexpected(connection_lost()), .fd = {}});
}

}  // namespace virttdx::driver
