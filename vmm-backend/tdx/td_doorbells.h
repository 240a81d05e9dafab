// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bus/doorbell.h"
#include "kvm/kvm.h"

namespace virttdx {

/// Doorbells by KVM_IOEVENTFD. The KvmVm outlives it.
class TdDoorbells final : public DoorbellBus {
 public:
  explicit TdDoorbells(KvmVm& vm) : vm_(vm) {}
  Result<> connect(Gpa address, std::uint32_t size, int eventfd) override {
    return vm_.assign_ioeventfd(address, size, eventfd);
  }
  void disconnect(Gpa address, std::uint32_t size, int eventfd) override {
    vm_.deassign_ioeventfd(address, size, eventfd);
  }

 private:
  KvmVm& vm_;
};

}  // namespace virttdx
