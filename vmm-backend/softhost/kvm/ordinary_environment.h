// SPDX-License-Identifier: GPL-2.0-or-later
// What the engine of an ordinary VM's vCPU is connected to: memory slots, and exits for all else. No local
// APIC.
#pragma once

#include <cstdint>
#include <optional>

#include "softhost/kvm/run_environment.h"

namespace virttdx::softhost {

class OrdinaryEnvironment final : public RunEnvironment {
 public:
  using RunEnvironment::RunEnvironment;

  void set_first_state(CpuEngine& engine) const override;
  RunStep complete_exit() override;

  bool is_td() const override { return false; }
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
  void acknowledge_interrupt(std::uint8_t vector) override;
  bool take_nmi() override { return false; }
  std::uint64_t tsc() override;

 private:
  /// A read whose value the monitor gives by the next KVM_RUN.
  struct Read {
    bool is_port = false;
    unsigned size = 0;
  };
  Outcome exit_for_access(bool is_port, bool is_write, unsigned size);

  std::optional<Read> unfinished_read_;
};

}  // namespace virttdx::softhost
