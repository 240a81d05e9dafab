// SPDX-License-Identifier: GPL-2.0-or-later
// The other side of a virtio device: a driver on a PCI bus of its own, with queues in test memory.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "device_access.h"
#include "devices/pci/pci_root.h"
#include "devices/reset_control/reset_control.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_pci_spec.h"
#include "devices/virtio/virtio_spec.h"

namespace virttdx::test {

inline constexpr std::uint64_t kNecessaryFeatures =
    virtio_spec::kFeatureVersion1 | virtio_spec::kFeatureAccessPlatform;

/// A buffer of a chain.
struct DriverBuffer {
  std::uint64_t address;
  std::uint32_t length;
  bool writable = false;
};

/// A split virtqueue as a driver keeps it. Parts lie at fixed offsets behind `base`, which is page aligned.
class DriverQueue {
 public:
  static constexpr std::uint64_t kAvailable = 0x4000, kUsed = 0x5000, kSize = 0x8000;

  DriverQueue(FlatMemory& memory, std::uint64_t base, std::uint16_t size)
      : memory_(&memory), base_(base), size_(size) {}

  std::uint64_t descriptors() const { return base_; }
  std::uint64_t available() const { return base_ + kAvailable; }
  std::uint64_t used() const { return base_ + kUsed; }
  std::uint16_t size() const { return size_; }

  void write_descriptor(std::uint16_t index, const DriverBuffer& buffer, std::uint16_t flags,
                        std::uint16_t next) {
    write_entry(base_ + index * virtio_spec::kDescriptorSize, buffer, flags, next);
  }
  /// Makes a chain available; its head. Descriptors are taken round.
  std::uint16_t add(const std::vector<DriverBuffer>& buffers) {
    const std::uint16_t head = next_descriptor_;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const std::uint16_t index = next_descriptor_;
      next_descriptor_ = static_cast<std::uint16_t>((index + 1) % size_);
      const bool more = i + 1 < buffers.size();
      write_descriptor(index, buffers[i], more ? virtio_spec::kFlagNext : 0, next_descriptor_);
    }
    make_available(head);
    return head;
  }
  /// The same through a table at `table`.
  std::uint16_t add_indirect(std::uint64_t table, const std::vector<DriverBuffer>& buffers) {
    for (std::size_t i = 0; i < buffers.size(); ++i)
      write_entry(table + i * virtio_spec::kDescriptorSize, buffers[i],
                  i + 1 < buffers.size() ? virtio_spec::kFlagNext : 0, static_cast<std::uint16_t>(i + 1));
    const std::uint16_t head = next_descriptor_;
    next_descriptor_ = static_cast<std::uint16_t>((head + 1) % size_);
    const auto length = static_cast<std::uint32_t>(buffers.size() * virtio_spec::kDescriptorSize);
    write_descriptor(head, {table, length}, virtio_spec::kFlagIndirect, 0);
    make_available(head);
    return head;
  }
  void make_available(std::uint16_t head) {
    write_as<std::uint16_t>(*this, available() + 4 + 2UL * (available_index_ % size_), head);
    set_available_index(static_cast<std::uint16_t>(available_index_ + 1));
  }
  void set_available_index(std::uint16_t index) {
    available_index_ = index;
    write_as<std::uint16_t>(*this, available() + 2, index);
  }
  void set_no_interrupt(bool set) { write_as<std::uint16_t>(*this, available(), set ? 1 : 0); }
  void set_used_event(std::uint16_t index) {
    write_as<std::uint16_t>(*this, available() + 4 + 2UL * size_, index);
  }
  std::uint16_t available_event() { return read_as<std::uint16_t>(*this, used() + 4 + 8UL * size_); }
  std::uint16_t used_flags() { return read_as<std::uint16_t>(*this, used()); }
  std::uint16_t used_index() { return read_as<std::uint16_t>(*this, used() + 2); }

  struct Used {
    std::uint32_t head, written;
    bool operator==(const Used&) const = default;
  };
  /// The next chain that came back.
  std::optional<Used> take_used() {
    if (used_index() == seen_used_) return std::nullopt;
    const std::uint64_t entry = used() + 4 + 8UL * (seen_used_++ % size_);
    return Used{read_as<std::uint32_t>(*this, entry), read_as<std::uint32_t>(*this, entry + 4)};
  }

  // For read_as and write_as.
  void read(std::uint64_t address, std::span<std::byte> into) { ASSERT_TRUE(memory_->read({address}, into)); }
  void write(std::uint64_t address, std::span<const std::byte> from) {
    ASSERT_TRUE(memory_->write({address}, from));
  }

 private:
  void write_entry(std::uint64_t address, const DriverBuffer& buffer, std::uint16_t flags,
                   std::uint16_t next) {
    write_as<std::uint64_t>(*this, address, buffer.address);
    write_as<std::uint32_t>(*this, address + 8, buffer.length);
    write_as<std::uint16_t>(
        *this, address + 12,
        static_cast<std::uint16_t>(flags | (buffer.writable ? virtio_spec::kFlagWrite : 0)));
    write_as<std::uint16_t>(*this, address + 14, next);
  }

  FlatMemory* memory_;
  std::uint64_t base_;
  std::uint16_t size_;
  std::uint16_t next_descriptor_ = 0;
  std::uint16_t available_index_ = 0;
  std::uint16_t seen_used_ = 0;
};

/// Messages, counted by their data. Any thread.
class MessageBox {
 public:
  void take(const MsiMessage& message) {
    const std::lock_guard lock(mutex_);
    ++counts_[message.data];
    arrived_.notify_all();
  }
  int count(std::uint32_t data) {
    const std::lock_guard lock(mutex_);
    return counts_[data];
  }
  /// Returns when `count` messages with `data` have come.
  void wait_for(std::uint32_t data, int count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return counts_[data] >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::uint32_t, int> counts_;
};

/// A machine with nothing but one virtio device at 00:03.0, and its driver. Vector n sends data 0x40 + n;
/// vector 0 is the configuration's, n + 1 queue n's.
class VirtioDriver {
 public:
  static constexpr std::uint32_t kConfigMessage = 0x40;
  static constexpr std::uint64_t kStructures = 0x800000000, kMsix = 0xC0000000;
  /// Behind the queues, for buffers.
  static constexpr std::uint64_t kBuffers = 0x80000;

  explicit VirtioDriver(VirtioDevice& device, DoorbellBus* doorbells = nullptr, IrqfdBus* irqfds = nullptr)
      : function(std::make_unique<VirtioPci>(
            device,
            VirtioPciParts{.name = "device under test",
                           .mmio = mmio,
                           .memory = memory,
                           .interrupts = [this](const MsiMessage& message) { messages.take(message); },
                           .doorbells = doorbells,
                           .irqfds = irqfds})) {
    root.add(3, 0, *function);
    EXPECT_TRUE(ports.add(pci_spec::kConfigAddress, pci_spec::kConfigPorts, "PCI", root.ports()));
    place();
  }

  template <typename T>
  T config(unsigned offset) {
    write_as<std::uint32_t>(ports, 0xCF8, 0x80001800 | (offset & 0xFC));
    return read_as<T>(ports, 0xCFC + (offset & 3));
  }
  template <typename T>
  void set_config(unsigned offset, T value) {
    write_as<std::uint32_t>(ports, 0xCF8, 0x80001800 | (offset & 0xFC));
    write_as<T>(ports, 0xCFC + (offset & 3), value);
  }
  /// Offset of the virtio capability of `type`, or 0.
  unsigned find_capability(std::uint8_t type) {
    for (unsigned at = config<std::uint8_t>(0x34); at != 0; at = config<std::uint8_t>(at + 1))
      if (config<std::uint8_t>(at) == 0x09 && config<std::uint8_t>(at + 3) == type) return at;
    return 0;
  }
  std::uint64_t structure(std::uint8_t type) {
    return kStructures + config<std::uint32_t>(find_capability(type) + 8);
  }
  template <typename T>
  T common(std::uint64_t offset) {
    return read_as<T>(mmio, structure(virtio_pci_spec::kCapCommon) + offset);
  }
  template <typename T>
  void set_common(std::uint64_t offset, T value) {
    write_as<T>(mmio, structure(virtio_pci_spec::kCapCommon) + offset, value);
  }
  template <typename T>
  T device_config(std::uint64_t offset) {
    return read_as<T>(mmio, structure(virtio_pci_spec::kCapDevice) + offset);
  }
  template <typename T>
  void set_device_config(std::uint64_t offset, T value) {
    write_as<T>(mmio, structure(virtio_pci_spec::kCapDevice) + offset, value);
  }
  std::uint8_t status() { return common<std::uint8_t>(virtio_pci_spec::kDeviceStatus); }
  void set_status(unsigned value) {
    set_common<std::uint8_t>(virtio_pci_spec::kDeviceStatus, static_cast<std::uint8_t>(value));
  }
  std::uint64_t offered_features() {
    set_common<std::uint32_t>(virtio_pci_spec::kDeviceFeatureSelect, 1);
    const std::uint64_t high = common<std::uint32_t>(virtio_pci_spec::kDeviceFeature);
    set_common<std::uint32_t>(virtio_pci_spec::kDeviceFeatureSelect, 0);
    return high << 32 | common<std::uint32_t>(virtio_pci_spec::kDeviceFeature);
  }
  void accept_features(std::uint64_t features) {
    for (std::uint32_t half = 0; half < 2; ++half) {
      set_common<std::uint32_t>(virtio_pci_spec::kDriverFeatureSelect, half);
      set_common(virtio_pci_spec::kDriverFeature, static_cast<std::uint32_t>(features >> 32 * half));
    }
  }
  /// Reset, features, queues of the largest size that fits, vectors; up to DRIVER_OK. Whether it took the
  /// features.
  bool start(std::uint64_t features) {
    set_status(0);
    set_status(virtio_spec::kAcknowledge);
    set_status(virtio_spec::kAcknowledge | virtio_spec::kDriver);
    accept_features(features | kNecessaryFeatures);
    set_status(virtio_spec::kAcknowledge | virtio_spec::kDriver | virtio_spec::kFeaturesOk);
    if ((status() & virtio_spec::kFeaturesOk) == 0) return false;
    set_common<std::uint16_t>(virtio_pci_spec::kConfigVector, 0);
    queues.clear();
    for (std::uint16_t i = 0; i < common<std::uint16_t>(virtio_pci_spec::kQueueCount) && i < 16; ++i)
      set_up_queue(i);
    set_status(virtio_spec::kAcknowledge | virtio_spec::kDriver | virtio_spec::kFeaturesOk |
               virtio_spec::kDriverOk);
    return true;
  }
  void set_up_queue(std::uint16_t index) {
    using namespace virtio_pci_spec;
    set_common<std::uint16_t>(kQueueSelect, index);
    const auto size = std::min<std::uint16_t>(common<std::uint16_t>(kQueueSize), 256);
    set_common<std::uint16_t>(kQueueSize, size);
    set_common<std::uint16_t>(kQueueVector, static_cast<std::uint16_t>(index + 1));
    std::ranges::fill(std::span(memory.bytes).subspan(index * DriverQueue::kSize, DriverQueue::kSize),
                      std::byte{0});
    DriverQueue queue(memory, index * DriverQueue::kSize, size);
    set_common<std::uint32_t>(kQueueDescriptors, static_cast<std::uint32_t>(queue.descriptors()));
    set_common<std::uint32_t>(kQueueAvailable, static_cast<std::uint32_t>(queue.available()));
    set_common<std::uint32_t>(kQueueUsed, static_cast<std::uint32_t>(queue.used()));
    set_common<std::uint16_t>(kQueueEnable, 1);
    if (index < queues.size())
      queues[index] = queue;
    else
      queues.push_back(queue);
  }
  /// Of VIRTIO_F_RING_RESET; set_up_queue() brings it back, empty.
  void reset_queue(std::uint16_t index) {
    set_common<std::uint16_t>(virtio_pci_spec::kQueueSelect, index);
    set_common<std::uint16_t>(virtio_pci_spec::kQueueReset, 1);
    EXPECT_EQ(common<std::uint16_t>(virtio_pci_spec::kQueueReset), 0);
    EXPECT_EQ(common<std::uint16_t>(virtio_pci_spec::kQueueEnable), 0);
  }
  void notify(std::uint16_t queue) {
    write_as<std::uint16_t>(mmio, structure(virtio_pci_spec::kCapNotify) + 4UL * queue, queue);
  }
  void mask(unsigned vector, bool is_masked) {
    write_as<std::uint32_t>(mmio, kMsix + 16UL * vector + pci_spec::kMsixEntryControl, is_masked ? 1 : 0);
  }
  void write_memory(std::uint64_t address, std::span<const std::byte> bytes) {
    ASSERT_TRUE(memory.write({address}, bytes));
  }
  int queue_interrupts(unsigned queue) { return messages.count(kConfigMessage + queue + 1); }
  int config_interrupts() { return messages.count(kConfigMessage); }

  MmioBus mmio;
  PortBus ports;
  ResetControl reset_control{[] {}};
  PciRoot root{mmio, reset_control};
  FlatMemory memory{1U << 20};
  MessageBox messages;
  std::unique_ptr<VirtioPci> function;
  std::vector<DriverQueue> queues;

 private:
  /// BARs, bus master, MSI-X with all vectors unmasked.
  void place() {
    set_config<std::uint32_t>(0x14, static_cast<std::uint32_t>(kMsix));
    set_config<std::uint32_t>(0x20, 0);
    set_config<std::uint32_t>(0x24, kStructures >> 32);
    set_config<std::uint16_t>(pci_spec::kCommand, pci_spec::kCommandMemory | pci_spec::kCommandBusMaster);
    unsigned msix = config<std::uint8_t>(0x34);
    while (config<std::uint8_t>(msix) != pci_spec::kCapabilityMsix) msix = config<std::uint8_t>(msix + 1);
    const unsigned vectors = (config<std::uint16_t>(msix + 2) & 0x7FFU) + 1;
    for (unsigned vector = 0; vector < vectors; ++vector) {
      write_as<std::uint32_t>(mmio, kMsix + 16UL * vector, 0xFEE00000);
      write_as<std::uint32_t>(mmio, kMsix + 16UL * vector + 8, kConfigMessage + vector);
      mask(vector, false);
    }
    set_config<std::uint16_t>(msix + 2, pci_spec::kMsixEnable);
  }
};

}  // namespace virttdx::test
