// SPDX-License-Identifier: GPL-2.0-or-later
// One trust domain from its launch to its end: KVM's objects, memory, vCPU threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "bus/bus.h"
#include "bus/interrupt_line.h"
#include "memory/guest_memory.h"
#include "memory/layout.h"
#include "support/result.h"
#include "tdx/td_doorbells.h"
#include "tdx/td_irqfds.h"
#include "tdx/td_launch.h"
#include "tdx/td_statistics.h"
#include "tdx/td_vmcalls.h"
#include "vcpu/vcpu_thread.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/tdvf.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// launch(); then devices are made around memory(); then start(), resume(). Not restartable: after a reset
/// comes a new one. start(), pause(), resume(), stop() and the destructor run one after the other; the rest:
/// any thread.
class TdVm {
 public:
  /// Lays out memory, builds the TD HOB, and launches. Takes as long as KVM takes to add and measure the
  /// firmware. `kernel` outlives the TdVm.
  static Result<std::unique_ptr<TdVm>> launch(KernelCalls& kernel, const VmConfig& config, const Tdvf& tdvf);
  TdVm(const TdVm&) = delete;
  TdVm& operator=(const TdVm&) = delete;
  /// Stops.
  ~TdVm() { stop(); }

  const MemoryLayout& layout() const { return layout_; }
  GuestMemory& memory() const { return *td_.memory; }
  const CpuidReport& cpuid() const { return td_.cpuid; }
  /// Without host_mrtd, which only the host itself can tell.
  const MonitorMeasurements& measurements() const { return measurements_; }
  int vm_fd() const { return td_.vm->fd(); }
  DoorbellBus& doorbells() { return doorbells_; }
  IrqfdBus& irqfds() { return irqfds_; }
  /// A message interrupt for the guest. Failures are logged: the guest chose a destination that is not there.
  void signal(const MsiMessage& message) const;

  /// Makes the vCPU threads, paused. Once. Buses and trace outlive stop(). `on_stop` is told the TD's end
  /// once, on a vCPU's thread, when all vCPUs have been asked to pause; it must not call stop(). Not told
  /// after stop().
  Result<> start(PortBus& ports, MmioBus& mmio, VcpuThread::StopHandler on_stop, ExitTrace* trace = nullptr);
  /// Nothing to do after the end.
  void resume();
  /// Returns when no vCPU runs (but the calling one, on its own thread).
  void pause();
  /// Ends all vCPU threads. They use no bus and call no handler afterwards.
  void stop();
  /// CPU time of each vCPU.
  std::vector<std::uint64_t> vcpu_time_ns() const;
  /// Of this TD.
  Result<HypervisorStatistics> statistics() const;

 private:
  TdVm(LaunchedTd td, TdStatistics statistics, MemoryLayout layout, const TdConfig& config);
  void finish(const VcpuStop& stop);

  LaunchedTd td_;
  TdStatistics statistics_;
  ExitCounts exits_;
  MemoryLayout layout_;
  MonitorMeasurements measurements_;
  TdVmcalls td_vmcalls_;
  TdDoorbells doorbells_;
  TdIrqfds irqfds_;
  VcpuThread::StopHandler on_stop_;
  std::atomic<bool> stopped_ = false;                 ///< stop() was called, or on_stop_
  std::vector<std::unique_ptr<VcpuThread>> threads_;  ///< made by start(), gone with this
};

}  // namespace virttdx
