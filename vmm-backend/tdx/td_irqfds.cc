// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_irqfds.h"

#include <algorithm>
#include <vector>

#include "tdx/td_launch.h"

namespace virttdx {
namespace {

kvm::kvm_irq_routing_entry message_route(std::uint32_t gsi, const MsiMessage& message) {
  kvm::kvm_irq_routing_entry entry{};
  entry.gsi = gsi;
  entry.type = kvm::KVM_IRQ_ROUTING_MSI;
  entry.u.msi.address_lo = static_cast<std::uint32_t>(message.address);
  entry.u.msi.address_hi = static_cast<std::uint32_t>(message.address >> 32);
  entry.u.msi.data = message.data;
  return entry;
}

}  // namespace

Result<> TdIrqfds::connect(int eventfd, const MsiMessage& message) {
  const std::lock_guard lock(mutex_);
  const auto known = find(eventfd);
  if (known == routes_.end()) return add(eventfd, message);
  auto changed = change(known->second, message);
  if (!changed) remove(known);
  return changed;
}

void TdIrqfds::disconnect(int eventfd) {
  const std::lock_guard lock(mutex_);
  if (const auto known = find(eventfd); known != routes_.end()) remove(known);
}

TdIrqfds::Routes::iterator TdIrqfds::find(int eventfd) {
  return std::ranges::find(routes_, eventfd, [](const auto& route) { return route.second.eventfd; });
}

Result<> TdIrqfds::add(int eventfd, const MsiMessage& message) {
  // KVM takes the first GSIs for the pins of the user-space IOAPIC and looks for their ends of interrupt.
  std::uint32_t gsi = kIoApicRoutes;
  while (routes_.contains(gsi)) ++gsi;
  const auto added = routes_.emplace(gsi, Route{eventfd, message}).first;
  // The route first: an eventfd that is signalled already sends its message at once.
  auto assigned = set_routes();
  if (assigned) assigned = vm_.assign_irqfd(eventfd, gsi);
  if (!assigned) routes_.erase(added);
  return assigned;
}

Result<> TdIrqfds::change(Route& route, const MsiMessage& message) {
  route.message = message;
  return set_routes();
}

Result<> TdIrqfds::set_routes() {
  std::vector<kvm::kvm_irq_routing_entry> entries;
  std::ranges::transform(routes_, std::back_inserter(entries),
                         [](const auto& route) { return message_route(route.first, route.second.message); });
  return vm_.set_gsi_routing(entries);
}

// Its route stays in KVM's table, where nothing uses it, until the next change.
void TdIrqfds::remove(Routes::iterator route) {
  vm_.deassign_irqfd(route->second.eventfd, route->first);
  routes_.erase(route);
}

}  // namespace virttdx
