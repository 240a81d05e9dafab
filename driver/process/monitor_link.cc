// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/monitor_link.h"

#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

Error connection_lost() { return {Error::Code::WrongState, "the domain's monitor ended before it answered"}; }

}  // namespace

MonitorLink::MonitorLink(ControlClient client, EventHandler event, ClosedHandler closed)
    : client_(std::move(client)),
      event_(std::move(event)),
      closed_(std::move(closed)),
      readable_(client_.fd(), QSocketNotifier::Read) {
  QObject::connect(&readable_, &QSocketNotifier::activated, &readable_, [this] { receive(); });
}

void MonitorLink::send(std::string_view command, const nlohmann::json& arguments, ReplyHandler handler) {
  const auto id =
      stopped_ ? Result<std::uint64_t>(tl::unexpected(connection_lost())) : client_.send(command, arguments);
  if (id)
    pending_.emplace(*id, std::move(handler));
  else
    handler({.id = 0, .result = tl::unexpected(id.error()), .fd = {}});
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
  if (found == pending_.end())
    return log::warning("monitor: reply to command {} that was not sent", reply.id);
  const auto handler = std::move(found->second);
  pending_.erase(found);
  handler(std::move(reply));
}

void MonitorLink::stop() {
  if (std::exchange(stopped_, true)) return;
  readable_.setEnabled(false);
  fail_pending();
}

void MonitorLink::fail_pending() {
  for (auto& [id, handler] : std::exchange(pending_, {}))
    handler({.id = id, .result = tl::unexpected(connection_lost()), .fd = {}});
}

}  // namespace virttdx::driver
