// SPDX-License-Identifier: GPL-2.0-or-later
// The events that one client asked for, by callback id.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "domain/domain_event.h"
#include "rpc/client.h"
#include "support/result.h"

namespace virttdx::driver {

class EventSubscriptions {
 public:
  /// Returns the callback id. `uuid`: of one domain only. Error: an event that is never sent.
  Result<int> add(int event_id, std::optional<std::string> uuid);
  Result<> remove(int callback_id);
  /// The older calls, of which a client has one an event and no callback id.
  Result<> add_legacy(int event_id);
  Result<> remove_legacy(int event_id);
  void clear() { subscriptions_.clear(); }
  /// Whether emit() would send anything.
  bool wants(const DomainEvent& event) const;
  /// Sends one message for every subscription that the event matches.
  void emit(Client& client, const DomainEvent& event) const;

 private:
  struct Subscription {
    int event_id;
    std::optional<std::string> uuid;
    bool legacy = false;
    bool matches(const DomainEvent& event) const {
      return event_id == event.event_id && (!uuid || *uuid == event.uuid);
    }
  };
  std::map<int, Subscription> subscriptions_;
  int next_id_ = 0;
};

}  // namespace virttdx::driver
