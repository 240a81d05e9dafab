// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/monitor_link.h"

#include <utility>

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
  const auto id =
      stopped_ ? Result<std::uint64_t>(tl::unexpected(connection_lost())) : client_.send(command, arguments);
  if (id)
    pending_.emplace(*id,
                     Pending{std::string(command), std::move(handler), std::chrono::steady_clock::now()});
  else
    handler({.id = 0, .result = tl::unexpected(id.error()), .fd = {}});
  if (!pending_.empty() && !late_.isActive()) late_.start(patience_);
}

std::optional<std::chrono::milliseconds> MonitorLink::oldest_wait() const {
  if (pending_.empty()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               pending_.begin()->second.since);
}

// libvirt's words for a domain whose one job does not end; the oldest command holds it.
void MonitorLink::fail_late() {
  const auto now = std::chrono::steady_clock::now();
  const std::string holder = pending_.empty() ? "" : pending_.begin()->second.command;
  while (!stopped_ && !pending_.empty() && pending_.begin()->second.since + patience_ <= now) {
    first_expected_ = pending_.begin()->first + 1;
    const auto late = std::move(pending_.extract(pending_.begin()).mapped());
    log::warning("monitor: no reply to '{}' for {} ms", late.command, patience_.count());
    late.handler({.id = 0,
                  .result = fail(Error::Code::TimedOut,
                                 "cannot acquire state change lock (held by monitor={})", holder),
                  .fd = {}});
  }
  if (!stopped_ && !pending_.empty())
    late_.start(
        std::chrono::ceil<std::chrono::milliseconds>(pending_.begin()->second.since + patience_ - now));
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
  if (const auto* event = std::get_if<MonitorEvent>(&message)) return event_(*event);
  auto& reply = std::get<ControlReply>(message);
  const auto found = pending_.find(reply.id);
  if (found == pending_.end() && reply.id < first_expected_) return;
  if (found == pending_.end())
    return log::warning("monitor: reply to command {} that was not sent", reply.id);
  const auto handler = std::move(found->second.handler);
  pending_.erase(found);
  handler(std::move(reply));
}

void MonitorLink::stop() {
  if (std::exchange(stopped_, true)) return;
  readable_.setEnabled(false);
  late_.stop();
  fail_pending();
}

void MonitorLink::fail_pending() {
  for (auto& [id, pending] : std::exchange(pending_, {}))
    pending.handler({.id = id, .result = tl::unexpected(connection_lost()), .fd = {}});
}

}  // namespace virttdx::driver
