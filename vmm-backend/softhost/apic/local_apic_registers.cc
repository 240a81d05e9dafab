// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's registers as RDMSR and WRMSR see them.
#include "softhost/apic/local_apic.h"

namespace virttdx::softhost {

namespace {

using namespace apic;

// Place in lvt_, or nothing.
std::optional<std::size_t> lvt_place(std::uint32_t index) {
  if (index == kLvtCmci) return 0;
  if (index >= kLvtTimer && index <= kLvtError) return index - kLvtTimer + 1;
  return std::nullopt;
}

constexpr std::uint32_t kVectorMask = 0xFF, kDeliveryStatusFree = 0x107FF, kLintPolarityAndTrigger = 0xA000;

// Bits that software may set in an entry of the local vector table; delivery status is read-only.
std::uint32_t lvt_writable(std::uint32_t index) {
  if (index == kLvtTimer) return kVectorMask | kLvtMasked | kTimerModeMask;
  if (index == kLvtError) return kVectorMask | kLvtMasked;
  if (index == kLvtLint0 || index == kLvtLint1) return kDeliveryStatusFree | kLintPolarityAndTrigger;
  return kDeliveryStatusFree;
}

std::uint32_t word(const std::array<std::atomic<std::uint32_t>, 8>& set, std::uint32_t place) {
  return set[place].load(std::memory_order_acquire);
}

}  // namespace

std::optional<std::uint64_t> LocalApic::read(std::uint32_t index, std::uint64_t now_ns) const {
  if (index >= kIsr0 && index < kTmr0) return word(isr_, index - kIsr0);
  if (index >= kTmr0 && index < kIrr0) return 0;  // edge-triggered interrupts only
  if (index >= kIrr0 && index < kErrorStatus) return word(irr_, index - kIrr0);
  const std::lock_guard lock(mutex_);
  if (const auto place = lvt_place(index)) return lvt_[*place];
  switch (index) {
    case kId:
      return id_;
    case kVersion:
      return kVersionValue;
    case kTpr:
      return tpr_.load(std::memory_order_relaxed);
    case kPpr:
      return processor_priority();
    case kLdr:
      return logical_id();
    case kSpuriousVector:
      return spurious_.load(std::memory_order_relaxed);
    case kErrorStatus:
      return error_status_;
    case kIcr:
      return icr_;
    case kInitialCount:
      return timer_.initial_count;
    case kCurrentCount:
      return current_count(now_ns);
    case kDivide:
      return divide_;
    default:
      return std::nullopt;
  }
}

bool LocalApic::write(std::uint32_t index, std::uint64_t value, std::uint64_t now_ns) {
  constexpr std::uint64_t kIcrReserved = 0xFFF32000;
  if (index == kIcr) {
    if (value & kIcrReserved) return false;
    write_icr(value);
    return true;
  }
  if (value >> 32) return false;
  const auto low = static_cast<std::uint32_t>(value);
  switch (index) {
    case kTpr:
      if (low > kVectorMask) return false;
      tpr_.store(low, std::memory_order_relaxed);
      return true;
    case kEoi:
      if (low != 0) return false;
      end_of_interrupt();
      return true;
    case kSelfIpi:
      if (low > kVectorMask) return false;
      inject(static_cast<std::uint8_t>(low));
      return true;
    default:
      break;
  }
  const std::lock_guard lock(mutex_);
  return write_locked(index, low, now_ns);
}

bool LocalApic::write_locked(std::uint32_t index, std::uint32_t value, std::uint64_t now_ns) {
  constexpr std::uint32_t kSpuriousWritable = 0x3FF, kDivideWritable = 0xB;
  if (lvt_place(index)) return write_lvt(index, value);
  switch (index) {
    case kSpuriousVector:
      if (value & ~kSpuriousWritable) return false;
      write_spurious(value);
      return true;
    case kErrorStatus:
      if (value != 0) return false;
      error_status_ = received_errors_.exchange(0);
      return true;
    case kInitialCount:
      write_initial_count(value, now_ns);
      return true;
    case kDivide:
      if (value & ~kDivideWritable) return false;
      write_divide(value, now_ns);
      return true;
    default:
      return false;
  }
}

// Disabling by software masks all entries; they cannot be unmasked until it is enabled again.
void LocalApic::write_spurious(std::uint32_t value) {
  spurious_.store(value, std::memory_order_relaxed);
  if (value & kSoftwareEnable) return;
  for (auto& entry : lvt_) entry |= kLvtMasked;
}

bool LocalApic::write_lvt(std::uint32_t index, std::uint32_t value) {
  constexpr std::uint32_t kReadOnly = 1U << 12 | 1U << 14;  // delivery status, remote IRR
  if (value & ~(lvt_writable(index) | kReadOnly)) return false;
  value &= ~kReadOnly;
  if (!(spurious_.load(std::memory_order_relaxed) & kSoftwareEnable)) value |= kLvtMasked;
  if (index == kLvtTimer)
    write_timer_lvt(value);
  else
    lvt_[*lvt_place(index)] = value;
  return true;
}

}  // namespace virttdx::softhost
