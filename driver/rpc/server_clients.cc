// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/server_clients.h"

#include <algorithm>
#include <utility>

namespace virttdx::driver {

bool ServerClients::set_limits(unsigned maximum, unsigned anonymous_maximum) {
  if (anonymous_maximum > maximum) return false;
  maximum_ = maximum;
  anonymous_maximum_ = anonymous_maximum;
  changed();
  return true;
}

bool ServerClients::may_add() const {
  return clients_.size() < maximum_ && (anonymous_maximum_ == 0 || anonymous_count() < anonymous_maximum_);
}

std::size_t ServerClients::anonymous_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(clients_, [](const auto& entry) {
    return entry.second.must_authenticate && entry.second.must_authenticate();
  }));
}

std::uint64_t ServerClients::add(ConnectedClient client) {
  const std::uint64_t id = next_id_++;
  clients_.emplace(id, std::move(client));
  changed();
  return id;
}

void ServerClients::remove(std::uint64_t id) {
  clients_.erase(id);
  changed();
}

}  // namespace virttdx::driver
