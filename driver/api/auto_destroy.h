// SPDX-License-Identifier: GPL-2.0-or-later
// Domains that end with the connection that started them (VIR_DOMAIN_START_AUTODESTROY).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "domain/domain_service.h"
#include "rpc/client.h"

namespace virttdx::driver {

/// Of all connections. A daemon that is killed forgets what it has here, and those domains stay, as libvirt's
/// do.
class AutoDestroy {
 public:
  /// `service` must outlive it.
  explicit AutoDestroy(DomainService& service) : service_(service) {}
  AutoDestroy(const AutoDestroy&) = delete;
  AutoDestroy& operator=(const AutoDestroy&) = delete;

  /// `done` for a start that begins now: what it starts ends with the connection.
  DomainService::RecordHandler bind(const std::shared_ptr<Client>& client, DomainService::RecordHandler done);
  /// Ends what it has started, soon.
  void connection_closed(const Client& client);
  /// Whether a domain is being started by bind(), or ended.
  bool busy() const { return under_way_ > 0; }
  /// `handler` is called when it is not busy any more.
  void on_idle(std::function<void()> handler) { idle_ = std::move(handler); }

 private:
  struct Run {
    const Client* client;
    std::weak_ptr<DomainRecord> record;
    int id;  ///< of this run
  };
  void started(const std::shared_ptr<Client>& client, const RecordPtr& record);
  void end_soon(Run run);
  void end(const Run& run);
  void ended();

  DomainService& service_;
  std::vector<Run> runs_;
  unsigned under_way_ = 0;
  std::function<void()> idle_;
};

}  // namespace virttdx::driver
