// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_RUN, with KVM's order of checks.
#include <cerrno>
#include <string>

#include "softhost/kvm/run_environment.h"
#include "softhost/kvm/vcpu.h"
#include "support/log.h"

namespace virttdx::softhost {
namespace {

int interrupted(Vcpu& vcpu) {
  vcpu.run().exit_reason = kvm::KVM_EXIT_INTR;
  return -EINTR;
}

// A TD's vCPU before KVM_TDX_INIT_VCPU, other than the boot vCPU: waits for it to become runnable.
int wait_until_initialized(Vcpu& vcpu, const RunSignals& signals) {
  if (vcpu.run_page.immediate_exit()) return -EINTR;
  return wait_for_event(vcpu, signals, std::nullopt) ? -EAGAIN : interrupted(vcpu);
}

int exit_shutdown(Vcpu& vcpu) {
  vcpu.run().exit_reason = kvm::KVM_EXIT_SHUTDOWN;
  return 0;
}

int exit_engine_failure(Vcpu& vcpu, const std::string& reason) {
  log::error("software TDX host: vCPU {}: {}", vcpu.id, reason);
  kvm::kvm_run& run = vcpu.run();
  run.exit_reason = kvm::KVM_EXIT_INTERNAL_ERROR;
  run.internal.suberror =
      vcpu.vm.is_td ? kvm::KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON : kvm::KVM_INTERNAL_ERROR_EMULATION;
  run.internal.ndata = 0;
  return 0;
}

// One stay in the guest.
RunStep run_engine(Vcpu& vcpu, CpuEngine& engine, const RunSignals& signals) {
  vcpu.environment->enter(engine, signals);
  const RunResult result = engine.run();
  // The environment counts its own.
  if (result != RunResult::EnvironmentExit) ++vcpu.counters.exits;
  switch (result) {
    case RunResult::EnvironmentExit:
      return vcpu.environment->take_step();
    case RunResult::Stopped:
      return {};
    case RunResult::TripleFault:
      return {RunStep::Kind::Return, exit_shutdown(vcpu)};
    case RunResult::EngineFailure:
      return {RunStep::Kind::Return, exit_engine_failure(vcpu, engine.failure())};
  }
  return {};
}

int run_loop(Vcpu& vcpu, CpuEngine& engine, const RunSignals& signals) {
  for (;;) {
    if (vcpu.vm.dead) return -EIO;
    if (vcpu.run_page.immediate_exit()) return interrupted(vcpu);
    if (signals.pending()) {
      ++vcpu.counters.signal_exits;
      return interrupted(vcpu);
    }
    RunStep step = vcpu.environment->wait_while_halted(signals);
    if (step.kind == RunStep::Kind::Enter) step = run_engine(vcpu, engine, signals);
    if (step.kind == RunStep::Kind::Return) return step.status == -EINTR ? interrupted(vcpu) : step.status;
  }
}

}  // namespace

int run_vcpu(Vcpu& vcpu, std::uintptr_t /*argument*/) {
  const RunSignals signals(vcpu.signal_mask);
  if (vcpu.mp_state == kvm::KVM_MP_STATE_UNINITIALIZED) return wait_until_initialized(vcpu, signals);
  if (vcpu.run().kvm_valid_regs != 0 || vcpu.run().kvm_dirty_regs != 0) return -EINVAL;
  const RunStep completed = vcpu.environment->complete_exit();
  if (completed.kind == RunStep::Kind::Return) return completed.status;
  if (vcpu.run_page.immediate_exit()) return -EINTR;
  if (const int status = vcpu.environment->check_runnable(); status != 0) return status;
  CpuEngine* const engine = vcpu.engine();
  if (engine == nullptr) return -ENOMEM;
  vcpu.has_run = true;
  return run_loop(vcpu, *engine, signals);
}

}  // namespace virttdx::softhost
