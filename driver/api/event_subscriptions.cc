// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/event_subscriptions.h"

#include <libvirt/libvirt.h>

#include <algorithm>

#include "api/typed_params.h"
#include "api/wire_domain.h"
#include "rpc/xdr_codec.h"
#include "schemas/virnet_protocol.h"

namespace virttdx::driver {
namespace {

// The last event of libvirt 12.6; the installed header may know fewer.
constexpr int kLastEventId = kEventIdChannelLifecycle;
// A client has no use for more; one that keeps registering is leaking.
constexpr std::size_t kSubscriptionsMaximum = 1024;

template <typename Message>
void send_event(Client& client, int procedure, const Message& message) {
  const auto payload = xdr_encode(message);
  CHECK(payload.has_value());
  // libvirt's daemons number events with 1; clients ignore it.
  client.send({.program = REMOTE_PROGRAM,
               .version = REMOTE_PROTOCOL_VERSION,
               .procedure = procedure,
               .type = VIR_NET_MESSAGE,
               .serial = 1},
              *payload);
}

remote_domain_event_io_error_msg io_error(Arena& arena, const DomainEvent& event) {
  return {.dom = wire_domain(arena, event.name, event.uuid, event.id),
          .srcPath = arena.text(event.path),
          .devAlias = arena.text(event.text.value_or("")),
          .action = event.event};
}

remote_domain_event_io_error_reason_msg io_error_with_reason(Arena& arena, const DomainEvent& event) {
  const auto error = io_error(arena, event);
  return {.dom = error.dom,
          .srcPath = error.srcPath,
          .devAlias = error.devAlias,
          .action = error.action,
          .reason = arena.text(event.reason)};
}

void send_legacy(Client& client, const DomainEvent& event) {
  Arena arena;
  const auto domain = wire_domain(arena, event.name, event.uuid, event.id);
  switch (event.event_id) {
    case VIR_DOMAIN_EVENT_ID_LIFECYCLE:
      return send_event(
          client, REMOTE_PROC_DOMAIN_EVENT_LIFECYCLE,
          remote_domain_event_lifecycle_msg{.dom = domain, .event = event.event, .detail = event.detail});
    case VIR_DOMAIN_EVENT_ID_REBOOT:
      return send_event(client, REMOTE_PROC_DOMAIN_EVENT_REBOOT,
                        remote_domain_event_reboot_msg{.dom = domain});
    case VIR_DOMAIN_EVENT_ID_RTC_CHANGE:
      return send_event(client, REMOTE_PROC_DOMAIN_EVENT_RTC_CHANGE,
                        remote_domain_event_rtc_change_msg{.dom = domain, .offset = event.seconds});
    case VIR_DOMAIN_EVENT_ID_TRAY_CHANGE:
      return send_event(
          client, REMOTE_PROC_DOMAIN_EVENT_TRAY_CHANGE,
          remote_domain_event_tray_change_msg{
              .dom = domain, .devAlias = arena.text(event.text.value_or("")), .reason = event.event});
    case VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED:
      return send_event(client, REMOTE_PROC_DOMAIN_EVENT_DEVICE_REMOVED,
                        remote_domain_event_device_removed_msg{
                            .dom = domain, .devAlias = arena.text(event.text.value_or(""))});
    case VIR_DOMAIN_EVENT_ID_IO_ERROR:
      return send_event(client, REMOTE_PROC_DOMAIN_EVENT_IO_ERROR, io_error(arena, event));
    case VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON:
      return send_event(client, REMOTE_PROC_DOMAIN_EVENT_IO_ERROR_REASON, io_error_with_reason(arena, event));
    default:  // the others have no form without a callback id
      return;
  }
}

template <typename Message>
concept WrapsAMessage = requires(Message message) {
  message.msg.dom;
};

/// Of the kind `Message`; `fill` says what is of this kind alone.
template <typename Message, typename Fill>
void send_by_callback(Client& client, int procedure, int callback_id, const DomainEvent& event, Fill fill) {
  Arena arena;
  Message message{};
  message.callbackID = callback_id;
  const auto domain = wire_domain(arena, event.name, event.uuid, event.id);
  if constexpr (WrapsAMessage<Message>) {
    message.msg.dom = domain;
    fill(message.msg, arena);
  } else {
    message.dom = domain;
    fill(message, arena);
  }
  send_event(client, procedure, message);
}

void send_lifecycle(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_lifecycle_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_LIFECYCLE, callback_id, event, [&](auto& message, Arena&) {
        message.event = event.event;
        message.detail = event.detail;
      });
}

void send_reboot(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_reboot_msg>(client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_REBOOT,
                                                            callback_id, event, [](auto&, Arena&) {});
}

void send_rtc_change(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_rtc_change_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_RTC_CHANGE, callback_id, event,
      [&](auto& message, Arena&) { message.offset = event.seconds; });
}

void send_tray_change(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_tray_change_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_TRAY_CHANGE, callback_id, event,
      [&](auto& message, Arena& arena) {
        message.devAlias = arena.text(event.text.value_or(""));
        message.reason = event.event;
      });
}

void send_io_error(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_io_error_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_IO_ERROR, callback_id, event,
      [&](auto& message, Arena& arena) { message = io_error(arena, event); });
}

void send_io_error_reason(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_io_error_reason_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_IO_ERROR_REASON, callback_id, event,
      [&](auto& message, Arena& arena) { message = io_error_with_reason(arena, event); });
}

void send_agent_lifecycle(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_agent_lifecycle_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_AGENT_LIFECYCLE, callback_id, event,
      [&](auto& message, Arena&) {
        message.state = event.event;
        message.reason = event.detail;
      });
}

void send_channel_lifecycle(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_channel_lifecycle_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_CHANNEL_LIFECYCLE, callback_id, event,
      [&](auto& message, Arena& arena) {
        message.channelName = arena.text(event.text.value_or(""));
        message.state = event.event;
        message.reason = event.detail;
      });
}

template <typename Message>
void send_device(Client& client, int procedure, int callback_id, const DomainEvent& event) {
  send_by_callback<Message>(client, procedure, callback_id, event, [&](auto& message, Arena& arena) {
    message.devAlias = arena.text(event.text.value_or(""));
  });
}

void send_metadata_change(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_metadata_change_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_METADATA_CHANGE, callback_id, event,
      [&](auto& message, Arena& arena) {
        message.type = event.event;
        if (event.text) message.nsuri = arena.optional_text(*event.text);
      });
}

void add_tunable(api::TypedParams& params, const Tunable& tunable) {
  if (const auto* number = std::get_if<std::uint64_t>(&tunable.value))
    params.add_ullong(tunable.name, *number);
  else if (const auto* signed_number = std::get_if<std::int64_t>(&tunable.value))
    params.add_llong(tunable.name, *signed_number);
  else
    params.add_string(tunable.name, std::get<std::string>(tunable.value));
}

void send_tunables(Client& client, int callback_id, const DomainEvent& event) {
  send_by_callback<remote_domain_event_callback_tunable_msg>(
      client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_TUNABLE, callback_id, event,
      [&](auto& message, Arena& arena) {
        api::TypedParams params(arena);
        for (const auto& tunable : event.tunables) add_tunable(params, tunable);
        arena.array(message.params.params_len, message.params.params_val, params.take());
      });
}

void send_any_by_callback(Client& client, int callback_id, const DomainEvent& event) {
  switch (event.event_id) {
    case VIR_DOMAIN_EVENT_ID_LIFECYCLE:
      return send_lifecycle(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_REBOOT:
      return send_reboot(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_RTC_CHANGE:
      return send_rtc_change(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_TRAY_CHANGE:
      return send_tray_change(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_METADATA_CHANGE:
      return send_metadata_change(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_DEVICE_ADDED:
      return send_device<remote_domain_event_callback_device_added_msg>(
          client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_ADDED, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED:
      return send_device<remote_domain_event_callback_device_removed_msg>(
          client, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_IO_ERROR:
      return send_io_error(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON:
      return send_io_error_reason(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_TUNABLE:
      return send_tunables(client, callback_id, event);
    case VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE:
      return send_agent_lifecycle(client, callback_id, event);
    case kEventIdChannelLifecycle:
      return send_channel_lifecycle(client, callback_id, event);
    default:
      CHECK(false);
  }
}

// The last event that the calls without callback ids know.
constexpr int kLastLegacyEventId = VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED;

}  // namespace

Result<int> EventSubscriptions::add(int event_id, std::optional<std::string> uuid) {
  if (event_id < 0 || event_id > kLastEventId)
    return fail(Error::Code::Internal, "unsupported event ID {}", event_id);
  if (subscriptions_.size() >= kSubscriptionsMaximum)
    return fail(Error::Code::Busy, "{} event callbacks are registered on this connection already",
                subscriptions_.size());
  subscriptions_.emplace(next_id_, Subscription{event_id, std::move(uuid), false});
  return next_id_++;
}

Result<> EventSubscriptions::remove(int callback_id) {
  const auto found = subscriptions_.find(callback_id);
  if (found == subscriptions_.end() || found->second.legacy)
    return fail(Error::Code::Internal, "domain event callback {} not registered", callback_id);
  subscriptions_.erase(found);
  return {};
}

Result<> EventSubscriptions::add_legacy(int event_id) {
  if (event_id < 0 || event_id > kLastLegacyEventId)
    return fail(Error::Code::Internal, "unsupported event ID {}", event_id);
  for (const auto& [callback_id, subscription] : subscriptions_)
    if (subscription.legacy && subscription.event_id == event_id)
      return fail(Error::Code::Internal, "domain event {} already registered", event_id);
  subscriptions_.emplace(next_id_++, Subscription{event_id, std::nullopt, true});
  return {};
}

Result<> EventSubscriptions::remove_legacy(int event_id) {
  const auto removed = std::erase_if(subscriptions_, [&](const auto& entry) {
    return entry.second.legacy && entry.second.event_id == event_id;
  });
  if (removed == 0) return fail(Error::Code::Internal, "domain event {} not registered", event_id);
  return {};
}

bool EventSubscriptions::wants(const DomainEvent& event) const {
  return std::ranges::any_of(subscriptions_, [&](const auto& entry) { return entry.second.matches(event); });
}

void EventSubscriptions::emit(Client& client, const DomainEvent& event) const {
  for (const auto& [callback_id, subscription] : subscriptions_) {
    if (!subscription.matches(event)) continue;
    subscription.legacy ? send_legacy(client, event) : send_any_by_callback(client, callback_id, event);
  }
}

}  // namespace virttdx::driver
