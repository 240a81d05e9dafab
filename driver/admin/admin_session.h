// SPDX-License-Identifier: GPL-2.0-or-later
// One connection to the admin socket (virt-admin): libvirt's administration protocol.
#pragma once

#include <memory>
#include <span>

#include "rpc/client.h"
#include "rpc/pending_reply.h"
#include "rpc/server_clients.h"

namespace virttdx::driver {

class AdminSession {
 public:
  /// `servers` must outlive it.
  AdminSession(std::shared_ptr<Client> client, std::span<ServerClients* const> servers)
      : client_(std::move(client)), servers_(servers) {}

  void handle(const Frame& frame);

  std::span<ServerClients* const> servers() const { return servers_; }

  bool open = false;

 private:
  std::shared_ptr<Client> client_;
  std::span<ServerClients* const> servers_;
};

}  // namespace virttdx::driver
