// SPDX-License-Identifier: GPL-2.0-or-later
// The TDVMCALLs that KVM hands to the monitor (KVM_EXIT_TDX). Source: GHCI, section 3.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "bus/interrupt_line.h"
#include "kvm/kvm_spec.h"
#include "tdx/capabilities.h"
#include "tdx/quote_service.h"
#include "vcpu/exit_handler.h"

namespace virttdx {

/// Any thread.
class TdVmcalls final : public TdVmcallHandler {
 public:
  /// `memory` and what `interrupts` uses outlive it.
  TdVmcalls(DmaMemory& memory, const TdxCapabilities& capabilities, const QuoteServiceConfig& quotes,
            MsiSink interrupts);

  void td_vmcall(kvm::kvm_run& run, std::uint32_t vcpu) override;
  /// Lets vCPUs go that are held for a quote: they are to pause.
  void release_vcpus() { quotes_.release_vcpus(); }

 private:
  std::uint64_t setup_event_notify(std::uint64_t vector, std::uint32_t vcpu);
  void notify();

  const std::uint64_t info_r11_;
  const std::uint64_t info_r12_;
  const MsiSink interrupts_;
  std::mutex mutex_;
  std::optional<MsiMessage> notification_;  ///< what SetupEventNotifyInterrupt asked for; guarded by mutex_
  QuoteService quotes_;                     ///< last: its thread uses the others
};

}  // namespace virttdx
