// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/apic/local_apic.h"

#include "softhost/apic/apic_bus.h"

namespace virttdx::softhost {

namespace {

using namespace apic;

constexpr std::uint32_t kPriorityClass = 0xF0;

std::optional<std::uint32_t> highest(const std::array<std::atomic<std::uint32_t>, 8>& set) {
  for (std::uint32_t i = 8; i-- > 0;) {
    const auto bits = set[i].load(std::memory_order_acquire);
    if (bits) return i * 32 + 31 - static_cast<std::uint32_t>(__builtin_clz(bits));
  }
  return std::nullopt;
}

}  // namespace

LocalApic::LocalApic(ApicBus& bus, std::uint32_t x2apic_id, std::uint64_t bus_cycle_ns)
    : bus_(bus), id_(x2apic_id), bus_cycle_ns_(bus_cycle_ns) {
  lvt_.fill(kLvtMasked);
  bus_.add(*this);
}

LocalApic::~LocalApic() { bus_.remove(*this); }

void LocalApic::notify() const {
  if (wake_) wake_();
}

void LocalApic::inject(std::uint8_t vector) {
  if (vector < kFirstUsableVector) {
    received_errors_.fetch_or(kErrorReceiveIllegalVector);
    return;
  }
  if (!(spurious_.load(std::memory_order_relaxed) & kSoftwareEnable)) return;
  irr_[vector / 32].fetch_or(1U << vector % 32, std::memory_order_release);
  notify();
}

void LocalApic::inject_nmi() {
  nmi_.store(true, std::memory_order_release);
  notify();
}

bool LocalApic::take_nmi() { return nmi_.exchange(false, std::memory_order_acq_rel); }

std::uint32_t LocalApic::processor_priority() const {
  const auto in_service = highest(isr_).value_or(0) & kPriorityClass;
  const auto task = tpr_.load(std::memory_order_relaxed);
  return (task & kPriorityClass) >= in_service ? task : in_service;
}

std::optional<std::uint8_t> LocalApic::pending() const {
  const auto vector = highest(irr_);
  if (!vector || (*vector & kPriorityClass) <= (processor_priority() & kPriorityClass)) return std::nullopt;
  return static_cast<std::uint8_t>(*vector);
}

void LocalApic::acknowledge(std::uint8_t vector) {
  const auto mask = 1U << vector % 32;
  if (!(spurious_.load(std::memory_order_relaxed) & kSoftwareEnable)) return;
  irr_[vector / 32].fetch_and(~mask, std::memory_order_acq_rel);
  isr_[vector / 32].fetch_or(mask, std::memory_order_acq_rel);
}

void LocalApic::end_of_interrupt() {
  if (const auto vector = highest(isr_))
    isr_[*vector / 32].fetch_and(~(1U << *vector % 32), std::memory_order_acq_rel);
}

void LocalApic::write_icr(std::uint64_t value) {
  {
    const std::lock_guard lock(mutex_);
    icr_ = value;
  }
  ApicBus::Message message;
  message.vector = static_cast<std::uint8_t>(value);
  message.mode = static_cast<DeliveryMode>(value >> 8 & 7);
  message.logical = value & kIcrLogical;
  message.shorthand = static_cast<Shorthand>(value >> 18 & 3);
  message.destination = static_cast<std::uint32_t>(value >> 32);
  const bool fixed = message.mode == DeliveryMode::Fixed || message.mode == DeliveryMode::LowestPriority;
  if (fixed && message.vector < kFirstUsableVector) {
    received_errors_.fetch_or(kErrorSendIllegalVector);
    return;
  }
  bus_.deliver(message, this);
}

}  // namespace virttdx::softhost
