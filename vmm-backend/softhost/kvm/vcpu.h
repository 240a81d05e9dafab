// SPDX-License-Identifier: GPL-2.0-or-later
// One vCPU: what its ioctls, its run loop and interrupts from other threads share.
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kvm/kvm_spec.h"
#include "softhost/apic/local_apic.h"
#include "softhost/kvm/emulated_msrs.h"
#include "softhost/kvm/run_page.h"
#include "softhost/kvm/run_signals.h"
#include "softhost/kvm/vcpu_counters.h"
#include "softhost/kvm/vm.h"
#include "softhost/module/td_vcpu.h"

namespace virttdx::softhost {

class RunEnvironment;

/// Its ioctls run one at a time, under `mutex`. kick() and invalidate() belong to any thread.
class Vcpu {
 public:
  Vcpu(Vm& owner, std::uint32_t vcpu_id, RunPage page);
  ~Vcpu();
  Vcpu(const Vcpu&) = delete;
  Vcpu& operator=(const Vcpu&) = delete;

  kvm::kvm_run& run() const { return run_page.header(); }
  /// Something that the vCPU must look at has arrived: ends a wait, makes the engine look.
  void kick();
  /// How often kick() was called: interrupts and NMIs that arrived.
  std::uint64_t arrivals() const { return arrivals_.load(); }
  void invalidate(GpaRange range);
  void wait_until_invalidated();
  /// The engine, made on first use; null with a log message when that fails.
  CpuEngine* engine();

  Vm& vm;
  const std::uint32_t id;
  VcpuCounters counters;
  RunPage run_page;
  std::mutex mutex;  // everything below, except the engine's creation

  std::uint32_t mp_state;
  std::vector<kvm::kvm_cpuid_entry2> cpuid;
  bool has_run = false;
  std::optional<sigset_t> signal_mask;
  int external_vector = -1;  ///< KVM_INTERRUPT; below 0: none

  // TD vCPUs only.
  std::unique_ptr<TdVcpu> td;  ///< null before KVM_TDX_INIT_VCPU
  std::unique_ptr<LocalApic> apic;
  EmulatedMsrs msrs;
  UniqueFd wake_event;    ///< eventfd, signalled by every kick()
  UniqueFd signal_event;  ///< signalfd, made by the first wait

  std::unique_ptr<RunEnvironment> environment;

 private:
  std::atomic<std::uint64_t> arrivals_ = 0;
  std::mutex engine_mutex_;
  std::unique_ptr<CpuEngine> engine_;  // made under engine_mutex_
};

/// The file behind a vCPU's descriptor.
std::shared_ptr<File> make_vcpu_file(std::shared_ptr<Vm> vm, Vcpu& vcpu);

/// KVM's CPUID of a vCPU (KVM_SET_CPUID2), with the rule for leaves out of range; zeros when there is none.
CpuidValue vcpu_cpuid(const Vcpu& vcpu, std::uint32_t function, std::uint32_t index);

// MSRs as KVM emulates them for a TD.
std::optional<std::uint64_t> read_kvm_msr(Vcpu& vcpu, std::uint32_t index, MsrAccess access);
bool write_kvm_msr(Vcpu& vcpu, std::uint32_t index, std::uint64_t value, MsrAccess access);

// Ioctls of a vCPU's descriptor, by family.
int set_cpuid2(Vcpu& vcpu, std::uintptr_t argument);
int get_cpuid2(Vcpu& vcpu, std::uintptr_t argument);
int get_msrs(Vcpu& vcpu, std::uintptr_t argument);
int set_msrs(Vcpu& vcpu, std::uintptr_t argument);
int set_up_machine_checks(Vcpu& vcpu, std::uintptr_t argument);
int get_registers(Vcpu& vcpu, std::uintptr_t argument);
int set_registers(Vcpu& vcpu, std::uintptr_t argument);
int get_system_registers(Vcpu& vcpu, std::uintptr_t argument);
int set_system_registers(Vcpu& vcpu, std::uintptr_t argument);
int get_system_registers2(Vcpu& vcpu, std::uintptr_t argument);
int set_system_registers2(Vcpu& vcpu, std::uintptr_t argument);
int pre_fault_memory(Vcpu& vcpu, std::uintptr_t argument);
int run_vcpu(Vcpu& vcpu, std::uintptr_t argument);
/// Takes the locks itself.
int tdx_vcpu_command(Vcpu& vcpu, std::uintptr_t argument);

}  // namespace virttdx::softhost
