// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/virtio_pci.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <bit>

#include "devices/virtio/virtio_pci_spec.h"
#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace virtio_pci_spec;

namespace {

// As QEMU places them, so that guests find what they know.
constexpr unsigned kMsixBar = 1;
constexpr unsigned kStructuresBar = 4;

// Inside the BAR; a page each keeps a guest's mappings apart.
constexpr std::uint32_t kCommonOffset = 0x0000;
constexpr std::uint32_t kIsrOffset = 0x1000;
constexpr std::uint32_t kDeviceOffset = 0x2000;
constexpr std::uint32_t kNotifyOffset = 0x3000;
constexpr std::uint32_t kPage = 0x1000;

PciIdentity identity(const VirtioDevice& device) {
  return {.vendor_id = kVendor,
          .device_id = static_cast<std::uint16_t>(kDeviceBase + device.type()),
          .revision = kRevision,
          .base_class = static_cast<std::uint8_t>(device.pci_class() >> 8),
          .sub_class = static_cast<std::uint8_t>(device.pci_class() & 0xFF),
          .header_type = 0,
          .command = 0,
          .command_writable = 0,
          .status = 0};
}

std::uint16_t vector_count(const VirtioDevice& device) {
  return static_cast<std::uint16_t>(
      std::min<std::size_t>(device.queue_sizes().size() + 1, pci_spec::kMsixVectorsMaximum));
}

}  // namespace

VirtioPci::VirtioPci(VirtioDevice& device, const VirtioPciParts& parts)
    : PciEndpoint(identity(device), parts.place, parts.mmio, parts.name),
      device_(device),
      doorbells_(parts.doorbells),
      msix_(vector_count(device), parts.interrupts, [this] { route_calls(); }),
      common_(device, {.name = parts.name,
                       .memory = parts.memory,
                       .vectors = vector_count(device),
                       .raise_vector = [this](std::uint16_t vector,
                                              std::uint8_t isr) { raise_vector(vector, isr); }}),
      irqfds_(parts.irqfds),
      call_messages_(common_.queue_count()) {
  define<std::uint16_t>(pci_spec::kSubsystemVendorId, kVendor, 0);
  define<std::uint16_t>(pci_spec::kSubsystemId, kSubsystem, 0);
  add_msix(kMsixBar, msix_);
  add_structures();
  add_bar({.index = kStructuresBar, .size = bar_size(), .is_64_bit = true, .prefetchable = true},
          structures_);
}

VirtioPci::~VirtioPci() {
  place_nothing();
  device_.stop();
  for (std::size_t queue = 0; queue < call_messages_.size(); ++queue) route_call(queue, std::nullopt);
}

std::uint64_t VirtioPci::bar_size() const {
  return std::bit_ceil<std::uint64_t>(kNotifyOffset + common_.queue_count() * kNotifyMultiplier);
}

void VirtioPci::add_structures() {
  add_structure(kCapCommon, kCapBytes, kCommonOffset, kCommonSize);
  add_structure(kCapIsr, kCapBytes, kIsrOffset, 1);
  add_structure(kCapDevice, kCapBytes, kDeviceOffset, kPage);
  const std::size_t notify =
      add_structure(kCapNotify, kCapNotifyBytes, kNotifyOffset,
                    static_cast<std::uint32_t>(common_.queue_count() * kNotifyMultiplier));
  define<std::uint32_t>(notify + kCapNotifyMultiplier, kNotifyMultiplier, 0);
  access_capability_ = add_structure(kCapAccess, kCapAccessBytes, 0, 0);
  define<std::uint8_t>(access_capability_ + kCapBar, 0, 0xFF);
  define<std::uint32_t>(access_capability_ + kCapOffset, 0, 0xFFFFFFFF);
  define<std::uint32_t>(access_capability_ + kCapSize, 0, 0xFFFFFFFF);
  define<std::uint32_t>(access_capability_ + kCapAccessData, 0, 0xFFFFFFFF);
}

std::size_t VirtioPci::add_structure(std::uint8_t type, std::size_t capability_size, std::uint32_t offset,
                                     std::uint32_t size) {
  const std::size_t base = add_capability(pci_spec::kCapabilityVendor, capability_size);
  define<std::uint8_t>(base + kCapLength, static_cast<std::uint8_t>(capability_size), 0);
  define<std::uint8_t>(base + kCapType, type, 0);
  define<std::uint8_t>(base + kCapBar, kStructuresBar, 0);
  define<std::uint32_t>(base + kCapOffset, offset, 0);
  define<std::uint32_t>(base + kCapSize, size, 0);
  return base;
}

// 4.1.4.9: the access capability is a window to the BAR for drivers that cannot map it.
void VirtioPci::written(std::size_t offset, std::size_t size) {
  PciEndpoint::written(offset, size);
  const std::size_t data = access_capability_ + kCapAccessData;
  if (offset >= data + 4 || offset + size <= data) return;
  std::array<std::byte, 4> bytes{};
  store_le(bytes, 0, get<std::uint32_t>(data));
  const auto window = access_window(bytes);
  if (!window.empty()) structures_.write(access_offset(), window);
}

void VirtioPci::reading(std::size_t offset, std::size_t size) {
  const std::size_t data = access_capability_ + kCapAccessData;
  if (offset >= data + 4 || offset + size <= data) return;
  std::array<std::byte, 4> bytes{};
  const auto window = access_window(bytes);
  if (window.empty()) return;
  structures_.read(access_offset(), window);
  define<std::uint32_t>(data, load_le<std::uint32_t>(bytes, 0), 0xFFFFFFFF);
}

std::uint64_t VirtioPci::access_offset() const { return get<std::uint32_t>(access_capability_ + kCapOffset); }

std::span<std::byte> VirtioPci::access_window(std::array<std::byte, 4>& buffer) const {
  const auto length = get<std::uint32_t>(access_capability_ + kCapSize);
  const bool is_valid = get<std::uint8_t>(access_capability_ + kCapBar) == kStructuresBar &&
                        (length == 1 || length == 2 || length == 4) && access_offset() % length == 0 &&
                        access_offset() + length <= bar_size();
  return is_valid ? std::span(buffer).first(length) : std::span<std::byte>();
}

void VirtioPci::Structures::read(std::uint64_t offset, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
  if (offset < kIsrOffset) return owner_.common_.read(offset, data);
  if (offset == kIsrOffset && data.size() == 1) data[0] = std::byte{owner_.isr_.exchange(0)};
  if (offset >= kDeviceOffset && offset < kNotifyOffset)
    owner_.common_.read_device_config(offset - kDeviceOffset, data);
}

void VirtioPci::Structures::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset < kIsrOffset) {
    owner_.common_.write(offset, data);
    return owner_.route_calls();  // a queue may have another vector
  }
  if (offset >= kNotifyOffset) return owner_.notify(offset - kNotifyOffset);
  if (offset >= kDeviceOffset) owner_.common_.write_device_config(offset - kDeviceOffset, data);
}

void VirtioPci::notify(std::uint64_t offset) {
  const std::uint64_t queue = offset / kNotifyMultiplier;
  // SAFETY: an eventfd of the device's; it can only be full, and then its reader is about to look anyway.
  if (queue < common_.queue_count()) ::eventfd_write(device_.doorbell(queue), 1);
}

void VirtioPci::raise_vector(std::uint16_t vector, std::uint8_t isr) {
  isr_ |= isr;
  if (vector != kNoVector) msix_.raise(vector);
}

void VirtioPci::route_calls() {
  if (irqfds_ == nullptr) return;
  const std::lock_guard lock(calls_mutex_);
  for (std::size_t queue = 0; queue < call_messages_.size(); ++queue)
    if (device_.call(queue) >= 0) route_call(queue, msix_.message(common_.queue_vector(queue)));
}

void VirtioPci::route_call(std::size_t queue, const std::optional<MsiMessage>& message) {
  if (std::exchange(call_messages_[queue], message) == message) return;
  if (!message) return irqfds_->disconnect(device_.call(queue));
  // Without one the device reads the call and raises the vector itself.
  if (const auto connected = irqfds_->connect(device_.call(queue), *message); !connected)
    log::debug("{}", connected.error().message());
}

void VirtioPci::bar_moved(unsigned index, std::optional<Gpa> place) {
  if (index != kStructuresBar || doorbells_ == nullptr) return;
  disconnect_doorbells();
  if (place) connect_doorbells(*place);
}

void VirtioPci::connect_doorbells(Gpa bar) {
  doorbell_bar_ = bar;
  for (std::size_t queue = 0; queue < common_.queue_count(); ++queue) {
    const Gpa address{bar.value + kNotifyOffset + queue * kNotifyMultiplier};
    // Without one the write is an exit, and notify() rings the same eventfd.
    if (const auto connected = doorbells_->connect(address, kNotifySize, device_.doorbell(queue)); !connected)
      log::debug("{}", connected.error().message());
  }
}

void VirtioPci::disconnect_doorbells() {
  if (!doorbell_bar_) return;
  for (std::size_t queue = 0; queue < common_.queue_count(); ++queue)
    doorbells_->disconnect({doorbell_bar_->value + kNotifyOffset + queue * kNotifyMultiplier}, kNotifySize,
                           device_.doorbell(queue));
  doorbell_bar_.reset();
}

}  // namespace virttdx
