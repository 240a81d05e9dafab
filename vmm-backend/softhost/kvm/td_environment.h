// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine of a TD's vCPU is connected to: the TDX module model, KVM's memory and KVM's TDVMCALLs.
#pragma once

#include <cstdint>
#include <optional>

#include "softhost/kvm/run_environment.h"
#include "softhost/kvm/td_vmcall.h"
#include "softhost/module/td_vcpu.h"

namespace virttdx::softhost {

class TdEnvironment final : public RunEnvironment {
 public:
  using RunEnvironment::RunEnvironment;

  int check_runnable() const override;
  void set_first_state(CpuEngine& engine) const override;
  RunStep complete_exit() override;
  RunStep wait_while_halted(const RunSignals& signals) override;
  void timer_changed() override;

  bool is_td() const override { return true; }
  PageAnswer page(std::uint64_t gpa, AccessKind access) override;
  Outcome td_call(Registers& registers) override;
  bool store_ve(const VeInfo& info) override;
  Outcome cpuid(std::uint32_t leaf, std::uint32_t subleaf, CpuidValue& value) override;
  Outcome read_msr(std::uint32_t index, std::uint64_t& value) override;
  Outcome write_msr(std::uint32_t index, std::uint64_t value) override;
  Outcome write_control_register(unsigned number, std::uint64_t old_value, std::uint64_t new_value) override;
  Outcome io(bool is_write, std::uint16_t port, unsigned size, std::uint32_t& value) override;
  Outcome mmio(bool is_write, std::uint64_t gpa, unsigned size, std::uint64_t& value) override;
  Outcome halt() override;
  std::optional<std::uint8_t> pending_interrupt() override;
  std::uint64_t next_deadline() override { return timer_deadline_ns_; }
  void acknowledge_interrupt(std::uint8_t vector) override;
  bool take_nmi() override;
  std::uint64_t tsc() override;

 private:
  PageAnswer shared_page(std::uint64_t gpa);
  PageAnswer private_page(std::uint64_t gpa);
  PageAnswer accepted_page(std::uint64_t gpa, std::byte* host);
  bool add_private_page(std::uint64_t gpa, unsigned level);
  void exit_memory_fault(std::uint64_t gpa, bool is_private);
  void kill_vm();
  Outcome handle_vmcall(Registers& registers);
  bool is_woken() const;
  /// False: a signal.
  bool sleep(const RunSignals& signals);

  std::optional<VmCall> pending_call_;  // an exit that the monitor answers
  bool interrupts_blocked_ = false;     // halted so that only a new event wakes
  std::uint64_t arrivals_at_halt_ = 0;
  std::uint64_t timer_deadline_ns_ = UINT64_MAX;
  std::uint64_t xcr0_ = 1;
};

}  // namespace virttdx::softhost
