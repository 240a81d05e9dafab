// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

namespace virttdx::driver {

// Details that libvirt 11.6 added for TDs that are made anew to reboot; older headers do not have them.
inline constexpr int kEventStartedRecreated = 5;
inline constexpr int kEventStoppedRecreated = 7;

/// Something that happened to a domain. Numbers are those of libvirt's public header.
struct DomainEvent {
  int event_id = 0;  ///< virDomainEventID: lifecycle, reboot, metadata change, device added and removed
  std::string name;
  std::string uuid;
  int id = -1;     ///< -1: not running (any more)
  int event = 0;   ///< virDomainEventType of a lifecycle event, virDomainMetadataType of a change of metadata
  int detail = 0;  ///< of that type
  std::optional<std::string> text = {};  ///< namespace of a change of metadata; alias of a device
};

}  // namespace virttdx::driver
