// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pci_endpoint.h"

#include <bit>

#include "support/log.h"

namespace virttdx {

using namespace pci_spec;

namespace {

PciIdentity with_command(PciIdentity identity) {
  identity.command = 0;
  identity.command_writable = kCommandMemory | kCommandBusMaster | kCommandInterruptDisable;
  identity.header_type = 0;
  return identity;
}

std::size_t bar_register(unsigned index) { return kBar0 + 4 * index; }

}  // namespace

PciEndpoint::PciEndpoint(const PciIdentity& identity, PciExpressPlace place, MmioBus& mmio, std::string name)
    : PciFunction(with_command(identity)), mmio_(mmio), name_(std::move(name)) {
  // 6.2.4: what firmware writes there it may read back, though no interrupt line is used.
  define<std::uint8_t>(kInterruptLine, 0, 0xFF);
  add_express_capability(place == PciExpressPlace::RootComplex ? kExpressIntegratedEndpoint
                                                               : kExpressEndpoint);
}

PciEndpoint::~PciEndpoint() {
  for (const PlacedBar& bar : bars_)
    if (bar.place) mmio_.remove(*bar.region);
}

void PciEndpoint::add_bar(const Bar& bar, BusRegion& region) {
  CHECK(std::has_single_bit(bar.size) && bar.size >= 16 && bar.index + (bar.is_64_bit ? 1 : 0) < kBars);
  const std::uint64_t mask = ~(bar.size - 1);
  const std::uint32_t flags = (bar.is_64_bit ? kBar64Bits : 0) | (bar.prefetchable ? kBarPrefetchable : 0);
  if (bar.is_64_bit)
    define<std::uint64_t>(bar_register(bar.index), flags, mask);
  else
    define<std::uint32_t>(bar_register(bar.index), flags, static_cast<std::uint32_t>(mask));
  bars_.push_back({bar, &region, std::nullopt});
}

void PciEndpoint::add_msix(unsigned bar_index, Msix& msix) {
  msix_ = &msix;
  msix_capability_ = add_capability(kCapabilityMsix, kMsixCapabilitySize);
  define<std::uint16_t>(msix_capability_ + kMsixControl, static_cast<std::uint16_t>(msix.vectors() - 1),
                        kMsixEnable | kMsixFunctionMask);
  define<std::uint32_t>(msix_capability_ + kMsixTable, bar_index, 0);
  define<std::uint32_t>(msix_capability_ + kMsixPending,
                        static_cast<std::uint32_t>(msix.pending_offset()) | bar_index, 0);
  add_bar({.index = bar_index, .size = msix.region_size(), .is_64_bit = false, .prefetchable = false}, msix);
}

bool PciEndpoint::is_bus_master() const { return (get<std::uint16_t>(kCommand) & kCommandBusMaster) != 0; }

void PciEndpoint::written(std::size_t offset, std::size_t size) {
  const auto touches = [&](std::size_t first, std::size_t count) {
    return offset < first + count && offset + size > first;
  };
  if (touches(kCommand, 2) || touches(kBar0, 4 * kBars)) place_bars();
  if (msix_ == nullptr || (!touches(kCommand, 2) && !touches(msix_capability_ + kMsixControl, 2))) return;
  const auto control = get<std::uint16_t>(msix_capability_ + kMsixControl);
  // A message is a write to memory: only a bus master makes it.
  msix_->configure((control & kMsixEnable) != 0 && is_bus_master(), (control & kMsixFunctionMask) != 0);
}

void PciEndpoint::place_bars() {
  // First all that leave, so that two BARs can change places.
  for (PlacedBar& bar : bars_)
    if (bar.place != wanted_place(bar.bar)) move(bar, std::nullopt);
  for (PlacedBar& bar : bars_)
    if (bar.place != wanted_place(bar.bar)) move(bar, wanted_place(bar.bar));
}

void PciEndpoint::place_nothing() {
  for (PlacedBar& bar : bars_) move(bar, std::nullopt);
}

std::optional<Gpa> PciEndpoint::bar_place(unsigned index) const {
  for (const PlacedBar& bar : bars_)
    if (bar.bar.index == index) return bar.place;
  return std::nullopt;
}

std::optional<Gpa> PciEndpoint::wanted_place(const Bar& bar) const {
  if ((get<std::uint16_t>(kCommand) & kCommandMemory) == 0) return std::nullopt;
  const std::uint64_t value = bar.is_64_bit ? get<std::uint64_t>(bar_register(bar.index))
                                            : get<std::uint32_t>(bar_register(bar.index));
  const std::uint64_t base = value & ~(bar.size - 1);
  // 0 is a BAR that nobody has placed.
  return base == 0 ? std::nullopt : std::optional(Gpa{base});
}

void PciEndpoint::move(PlacedBar& bar, std::optional<Gpa> place) {
  if (bar.place) mmio_.remove(*bar.region);
  bar.place = std::nullopt;
  if (place) {
    const auto added =
        mmio_.add(place->value, bar.bar.size, fmt::format("{} BAR {}", name_, bar.bar.index), *bar.region);
    if (added)
      bar.place = place;
    else
      log::debug("{}", added.error().message());
  }
  bar_moved(bar.bar.index, bar.place);
}

}  // namespace virttdx
