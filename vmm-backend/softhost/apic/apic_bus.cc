// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/apic/apic_bus.h"

#include <algorithm>
#include <mutex>

#include "softhost/apic/local_apic.h"

namespace virttdx::softhost {

namespace {

bool addressed(const LocalApic& target, const ApicBus::Message& message, const LocalApic* source) {
  switch (message.shorthand) {
    case apic::Shorthand::Self:
      return &target == source;
    case apic::Shorthand::AllIncludingSelf:
      return true;
    case apic::Shorthand::AllExcludingSelf:
      return &target != source;
    case apic::Shorthand::None:
      break;
  }
  if (message.destination == apic::kBroadcast) return true;
  if (!message.logical) return target.x2apic_id() == message.destination;
  constexpr std::uint32_t kClusterMask = 0xFFFF0000;
  const auto common = target.logical_id() & message.destination;
  return (target.logical_id() & kClusterMask) == (message.destination & kClusterMask) &&
         common & ~kClusterMask;
}

}  // namespace

void ApicBus::add(LocalApic& apic) {
  const std::unique_lock lock(mutex_);
  apics_.push_back(&apic);
}

void ApicBus::remove(LocalApic& apic) {
  const std::unique_lock lock(mutex_);
  apics_.erase(std::remove(apics_.begin(), apics_.end(), &apic), apics_.end());
}

unsigned ApicBus::deliver(const Message& message, LocalApic* source) {
  using apic::DeliveryMode;
  const bool fixed = message.mode == DeliveryMode::Fixed || message.mode == DeliveryMode::LowestPriority;
  if (!fixed && message.mode != DeliveryMode::Nmi) return 0;
  const std::shared_lock lock(mutex_);
  unsigned taken = 0;
  for (LocalApic* target : apics_) {
    if (!addressed(*target, message, source)) continue;
    if (fixed)
      target->inject(message.vector);
    else
      target->inject_nmi();
    ++taken;
    // Which one of several takes a lowest-priority interrupt is the implementation's choice.
    if (message.mode == DeliveryMode::LowestPriority) break;
  }
  return taken;
}

unsigned ApicBus::deliver_msi(std::uint32_t address_lo, std::uint32_t address_hi, std::uint32_t data) {
  constexpr std::uint32_t kRedirectionHint = 1U << 3, kLogical = 1U << 2;
  Message message;
  message.vector = static_cast<std::uint8_t>(data);
  message.mode = static_cast<apic::DeliveryMode>(data >> 8 & 7);
  message.logical = address_lo & kLogical;
  if (message.mode == apic::DeliveryMode::Fixed && message.logical && address_lo & kRedirectionHint)
    message.mode = apic::DeliveryMode::LowestPriority;
  const auto low = address_lo >> 12 & 0xFF, extended = address_lo >> 5 & 0x7F;
  message.destination = low | extended << 8 | (address_hi & 0xFFFFFF00);
  return deliver(message, nullptr);
}

}  // namespace virttdx::softhost
