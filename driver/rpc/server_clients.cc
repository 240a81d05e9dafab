// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/server_clients.h"

#include <algorithm>
#include <utility>

namespace virttdx::driver {

bool ServerClients::set_limits(unsigned maximum, unsigned anonymous_maximum) {
  if (anonymous_maximum > maximum) return false;
  maximum_ = maximum;
  anonymous_maximum_ = anonymous_maximum;
  return true;
}

std::size_t ServerClients::anonymous_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(clients_, [](const auto& entry) {
    return entry.second.must_authenticate && entry.second.must_authenticate();
  }));
}

std::uint64_t ServerClients::add(ConnectedClient client) {
  clients_.emplace(next_id_, std::move(client));
  return next_id_++;
}

}  // namespace virttdx::driver
