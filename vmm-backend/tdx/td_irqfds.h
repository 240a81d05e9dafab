// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "bus/irqfd.h"
#include "kvm/kvm.h"

namespace virttdx {

/// Interrupts by KVM_IRQFD: each eventfd has a GSI, whose route is the message. The KvmVm outlives it.
class TdIrqfds final : public IrqfdBus {
 public:
  explicit TdIrqfds(KvmVm& vm) : vm_(vm) {}
  Result<> connect(int eventfd, const MsiMessage& message) override;
  void disconnect(int eventfd) override;

 private:
  struct Route {
    int eventfd;
    MsiMessage message;
  };
  using Routes = std::map<std::uint32_t, Route>;
  // Under mutex_.
  Routes::iterator find(int eventfd);
  Result<> add(int eventfd, const MsiMessage& message);
  Result<> change(Route& route, const MsiMessage& message);
  Result<> set_routes();
  void remove(Routes::iterator route);

  KvmVm& vm_;
  std::mutex mutex_;
  Routes routes_;  ///< by GSI; guarded by mutex_
};

}  // namespace virttdx
