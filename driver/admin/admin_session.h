// SPDX-License-Identifier: GPL-2.0-or-later
// One connection to the admin socket (virt-admin): libvirt's administration protocol.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "rpc/client.h"
#include "rpc/pending_reply.h"
#include "rpc/server_clients.h"

namespace virttdx::driver {

/// What of the daemon can be seen and changed.
struct AdminContext {
  std::span<ServerClients* const> servers;
  std::function<void(std::chrono::seconds)> set_idle_timeout;  ///< 0: the daemon does not end by itself
};

class AdminSession {
 public:
  /// `context` must outlive it.
  AdminSession(std::shared_ptr<Client> client, const AdminContext& context)
      : client_(std::move(client)), context_(context) {}

  void handle(const Frame& frame);

  std::span<ServerClients* const> servers() const { return context_.servers; }
  const AdminContext& context() const { return context_; }

  bool open = false;

 private:
  std::shared_ptr<Client> client_;
  const AdminContext& context_;
};

}  // namespace virttdx::driver
