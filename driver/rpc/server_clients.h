// SPDX-License-Identifier: GPL-2.0-or-later
// Who is connected to one of the daemon's servers, and how many may be.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "rpc/client.h"
#include "rpc/peer.h"

namespace virttdx::driver {

struct ConnectedClient {
  std::int64_t connected_at = 0;  ///< seconds since 1970
  bool read_only = false;
  Peer peer;
  std::weak_ptr<Client> client;
  std::function<bool()> must_authenticate = {};  ///< has not yet; empty: need not
};

class ServerClients {
 public:
  /// `anonymous_maximum`: of those that have not authenticated yet; 0: no other limit for them.
  ServerClients(std::string name, unsigned maximum, unsigned anonymous_maximum)
      : name_(std::move(name)), maximum_(maximum), anonymous_maximum_(anonymous_maximum) {}

  const std::string& name() const { return name_; }
  unsigned maximum() const { return maximum_; }
  unsigned anonymous_maximum() const { return anonymous_maximum_; }
  /// Those who are connected stay. False: anonymous clients would outnumber all.
  [[nodiscard]] bool set_limits(unsigned maximum, unsigned anonymous_maximum);
  /// Whether both limits allow for one more.
  bool may_add() const;
  /// Called whenever may_add() may have changed.
  void on_change(std::function<void()> handler) { changed_ = std::move(handler); }

  /// Returns its id, which no other gets.
  std::uint64_t add(ConnectedClient client);
  void watch_authentication(std::uint64_t id, std::function<bool()> must_authenticate) {
    clients_.at(id).must_authenticate = std::move(must_authenticate);
    changed();
  }
  /// One that must_authenticate() need not any more.
  void authenticated() { changed(); }
  std::size_t anonymous_count() const;
  void remove(std::uint64_t id);
  const std::map<std::uint64_t, ConnectedClient>& all() const { return clients_; }

 private:
  void changed() {
    if (changed_) changed_();
  }

  std::string name_;
  unsigned maximum_, anonymous_maximum_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, ConnectedClient> clients_;
  std::function<void()> changed_;
};

}  // namespace virttdx::driver
