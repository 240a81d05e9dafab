// SPDX-License-Identifier: GPL-2.0-or-later
// One local APIC in x2APIC mode. It has no clock: callers pass the time in nanoseconds of any monotonic
// clock. Not emulated: xAPIC mode (MMIO), SMI, INIT and SIPI (a TD has none), ExtINT, LVT pins other than the
// timer.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "softhost/apic/apic_spec.h"

namespace virttdx::softhost {

class ApicBus;

/// Any thread may call any function; acknowledge() and the register functions are meant for the vCPU's own.
class LocalApic {
 public:
  /// Nanoseconds between two ticks of the timer before its divider; KVM_CAP_X86_APIC_BUS_CYCLES_NS.
  static constexpr std::uint64_t kDefaultBusCycleNs = 1;

  /// Joins `bus`, which must outlive this.
  LocalApic(ApicBus& bus, std::uint32_t x2apic_id, std::uint64_t bus_cycle_ns);
  ~LocalApic();
  LocalApic(const LocalApic&) = delete;
  LocalApic& operator=(const LocalApic&) = delete;

  std::uint32_t x2apic_id() const { return id_; }
  /// Called, from the thread that caused it, when an interrupt or NMI arrives. It must
  /// not add or remove APICs of the bus. Set once before the APIC is used.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  /// Register `index` (0x800..0x83F); nothing: #GP.
  std::optional<std::uint64_t> read(std::uint32_t index, std::uint64_t now_ns) const;
  /// False: #GP. ICR and self IPI deliver before they return.
  bool write(std::uint32_t index, std::uint64_t value, std::uint64_t now_ns);

  /// IA32_TSC_DEADLINE as written, with the time at which the guest's TSC reaches it (the caller knows the
  /// TSC). A `tsc` of 0 disarms. Ignored unless the timer is in TSC-deadline mode.
  void set_tsc_deadline(std::uint64_t tsc, std::uint64_t deadline_ns);
  /// IA32_TSC_DEADLINE as read: 0 once it fired.
  std::uint64_t tsc_deadline() const;

  /// When advance() has something to do next; nothing: the timer is stopped.
  std::optional<std::uint64_t> next_deadline() const;
  /// Lets the timer reach `now_ns`: its interrupt becomes pending when due. Periods missed are one interrupt.
  void advance(std::uint64_t now_ns);

  /// Fixed interrupt from outside (MSI). Lost when the APIC is disabled by software. Vectors below 16 set the
  /// error status instead.
  void inject(std::uint8_t vector);
  void inject_nmi();
  /// True once for each NMI that arrived (further ones while one waits are merged).
  bool take_nmi();
  bool nmi_pending() const { return nmi_.load(std::memory_order_acquire); }

  /// The vector to deliver: highest of IRR above PPR. Cheap.
  std::optional<std::uint8_t> pending() const;
  /// Moves `vector` from IRR to ISR.
  void acknowledge(std::uint8_t vector);

  /// Logical x2APIC id: cluster in bits 31:16, one bit of 15:0.
  std::uint32_t logical_id() const { return (id_ >> 4) << 16 | 1U << (id_ & 15); }

 private:
  using VectorSet = std::array<std::atomic<std::uint32_t>, 8>;
  struct Timer {
    std::uint32_t initial_count = 0;
    std::optional<std::uint64_t> deadline_ns;
    std::uint64_t tsc_deadline = 0;
  };

  void notify() const;
  std::uint32_t processor_priority() const;
  void end_of_interrupt();
  void write_icr(std::uint64_t value);
  // With mutex_ held:
  bool write_locked(std::uint32_t index, std::uint32_t value, std::uint64_t now_ns);
  bool write_lvt(std::uint32_t index, std::uint32_t value);
  void write_spurious(std::uint32_t value);
  void write_timer_lvt(std::uint32_t value);
  void write_initial_count(std::uint32_t count, std::uint64_t now_ns);
  void write_divide(std::uint32_t value, std::uint64_t now_ns);
  std::uint32_t timer_mode() const;
  std::uint64_t tick_ns() const;
  std::uint64_t period_ns() const;
  std::uint32_t current_count(std::uint64_t now_ns) const;

  ApicBus& bus_;
  const std::uint32_t id_;
  const std::uint64_t bus_cycle_ns_;
  std::function<void()> wake_;

  VectorSet irr_{}, isr_{};
  std::atomic<std::uint32_t> tpr_ = 0;
  std::atomic<std::uint32_t> spurious_ = 0xFF;
  std::atomic<bool> nmi_ = false;
  std::atomic<std::uint32_t> received_errors_ = 0;  // enter ESR at its next write

  mutable std::mutex mutex_;  // everything below
  Timer timer_;
  std::uint32_t divide_ = 0;
  std::uint32_t error_status_ = 0;
  std::uint64_t icr_ = 0;
  std::array<std::uint32_t, 7> lvt_;  // CMCI, timer, thermal, performance, LINT0, LINT1, error
};

}  // namespace virttdx::softhost
