// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace virttdx::driver {

// Details that libvirt 11.6 added for TDs that are made anew to reboot; older headers do not have them.
inline constexpr int kEventStartedRecreated = 5;
inline constexpr int kEventStoppedRecreated = 7;
/// virDomainEventID of channels other than the agent's, which libvirt 11.2 added.
inline constexpr int kEventIdChannelLifecycle = 29;

/// What a client has changed of a running domain's limits and pins, by VIR_DOMAIN_TUNABLE_*.
struct Tunable {
  std::string name;
  std::variant<std::uint64_t, std::int64_t, std::string> value;
};

/// Something that happened to a domain. Numbers are those of libvirt's public header.
struct DomainEvent {
  /// virDomainEventID: lifecycle, reboot, metadata change, device added and removed, I/O error with and
  /// without its reason, life cycle of the agent and of channels, tunables, change of the RTC, of a tray
  int event_id = 0;
  std::string name;
  std::string uuid;
  int id = -1;  ///< -1: not running (any more)
  /// virDomainEventType of a lifecycle event, virDomainMetadataType of a change of metadata,
  /// virDomainEventIOErrorAction, virDomainEventTrayChangeReason, state of an agent or channel
  int event = 0;
  int detail = 0;  ///< of that type; why an agent or channel changed
  /// Namespace of a change of metadata; alias of a device; name of a channel.
  std::optional<std::string> text = {};
  std::string path = {};    ///< I/O error: the disk's source
  std::string reason = {};  ///< I/O error: "enospc", or empty
  std::vector<Tunable> tunables = {};
  std::int64_t seconds = 0;  ///< change of the RTC: its new offset
};

}  // namespace virttdx::driver
