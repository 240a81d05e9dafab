// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/pci_root.h"

#include <algorithm>

#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace pci_spec;

void PciRoot::add(unsigned device, unsigned function, PciFunction& pci_function) {
  CHECK(device < 32 && function < 8 && functions_[device * 8 + function] == nullptr);
  functions_[device * 8 + function] = &pci_function;
  PciFunction::mark_multi_function(std::span(functions_).subspan(device * 8, 8));
}

void PciRoot::place_window(const std::optional<GpaRange>& window) {
  mmio_.remove(window_);
  if (!window) return;
  const auto added = mmio_.add(window->base().value, window->size(), "PCI configuration window", window_);
  if (!added) log::debug("{}: the guest has no PCI configuration window", added.error().message());
}

PciFunction* PciRoot::find(std::size_t function) const {
  if (function < kFunctionsABus) return functions_[function];
  for (PciFunction* const bridge : functions_) {
    if (bridge == nullptr) continue;
    if (auto* const found = bridge->behind(function / kFunctionsABus, function % kFunctionsABus))
      return found;
  }
  return nullptr;
}

void PciRoot::read(std::size_t function, std::size_t offset, std::span<std::byte> data) const {
  if (PciFunction* const found = find(function))
    found->read(offset, data);
  else
    std::fill(data.begin(), data.end(), std::byte{0xFF});
}

void PciRoot::write(std::size_t function, std::size_t offset, std::span<const std::byte> data) const {
  if (PciFunction* const found = find(function)) found->write(offset, data);
}

void PciRoot::Ports::read(std::uint64_t offset, std::span<std::byte> data) {
  if (offset == 1 && data.size() == 1) return byte_1_.read(0, data);
  std::fill(data.begin(), data.end(), std::byte{0xFF});
  const std::lock_guard lock(root_.mutex_);
  if (offset == 0 && data.size() == 4) store_le(data, 0, address_);
  if (offset < kConfigData || (address_ & kConfigEnable) == 0) return;
  root_.read((address_ & ~kConfigEnable) >> kPortFunctionShift, (address_ & 0xFC) + offset - kConfigData,
             data);
}

void PciRoot::Ports::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset == 1 && data.size() == 1) return byte_1_.write(0, data);
  const std::lock_guard lock(root_.mutex_);
  if (offset == 0 && data.size() == 4) address_ = load_le<std::uint32_t>(data, 0) & kConfigAddressWritable;
  if (offset < kConfigData || (address_ & kConfigEnable) == 0) return;
  root_.write((address_ & ~kConfigEnable) >> kPortFunctionShift, (address_ & 0xFC) + offset - kConfigData,
              data);
}

void PciRoot::Window::read(std::uint64_t offset, std::span<std::byte> data) {
  const std::lock_guard lock(root_.mutex_);
  root_.read(offset >> kEcamFunctionShift, offset & 0xFFF, data);
}

void PciRoot::Window::write(std::uint64_t offset, std::span<const std::byte> data) {
  const std::lock_guard lock(root_.mutex_);
  root_.write(offset >> kEcamFunctionShift, offset & 0xFFF, data);
}

}  // namespace virttdx
