// SPDX-License-Identifier: GPL-2.0-or-later
// What a vCPU's engine is connected to, with what KVM_RUN asks of it. Two kinds: a TD's vCPU and an ordinary
// one's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "softhost/cpu/cpu_engine.h"
#include "softhost/kvm/run_signals.h"

namespace virttdx::softhost {

class Vcpu;

/// What KVM_RUN does after the engine came back, or after an exit was completed.
struct RunStep {
  enum class Kind : std::uint8_t {
    Enter,   ///< go on with the guest
    Return,  ///< to the monitor, with `status`
  };
  Kind kind = Kind::Enter;
  int status = 0;  ///< 0: struct kvm_run tells the exit; else -errno
};

/// Belongs to the thread that is inside KVM_RUN.
class RunEnvironment : public CpuEnvironment {
 public:
  explicit RunEnvironment(Vcpu& vcpu) : vcpu_(vcpu) {}

  /// KVM_RUN's check of the state, after the completion of the last exit: 0 or -errno.
  virtual int check_runnable() const { return 0; }
  /// Gives a new engine the vCPU's first state.
  virtual void set_first_state(CpuEngine& engine) const = 0;
  /// Finishes the last exit with the monitor's answer.
  virtual RunStep complete_exit() { return {}; }
  /// Sleeps while the vCPU is halted. Enter: it no longer is.
  virtual RunStep wait_while_halted(const RunSignals& /*signals*/) { return {}; }

  CodePages* code_pages() override;

  /// The local APIC's timer was changed from outside of the environment.
  virtual void timer_changed() {}

  /// Between these two the engine runs; `signals` are the ones that stop it.
  void enter(CpuEngine& engine, const RunSignals& signals);
  /// What the exit asked for by Outcome::Exit or PageAnswer::Exit leads to.
  RunStep take_step();

 protected:
  /// Fills in what the next take_step() answers.
  void return_to_monitor(int status) { step_ = {RunStep::Kind::Return, status}; }
  /// Stops the engine when the monitor wants the vCPU back. Cheap: called with every look for interrupts.
  void poll_stop();
  CpuEngine& engine() const { return *engine_; }

  Vcpu& vcpu_;

 private:
  CpuEngine* engine_ = nullptr;
  const RunSignals* signals_ = nullptr;
  RunStep step_;
  std::uint32_t polls_ = 0;  // since enter()
};

std::unique_ptr<RunEnvironment> make_run_environment(Vcpu& vcpu);

/// Sleeps until Vcpu::kick(), one of the signals, or the deadline (monotonic_ns()). False: a signal.
bool wait_for_event(Vcpu& vcpu, const RunSignals& signals, std::optional<std::uint64_t> deadline_ns);

}  // namespace virttdx::softhost
