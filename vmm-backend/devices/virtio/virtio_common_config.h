// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "bus/dma.h"
#include "devices/virtio/virtio_device.h"

namespace virttdx {

/// The common configuration structure (4.1.4.3) and the life of a driver's session behind it: negotiation,
/// queue set-up, start, reset. VIRTIO_F_VERSION_1 and VIRTIO_F_ACCESS_PLATFORM are offered always; a driver
/// that takes not both gets no FEATURES_OK: everything that the device reaches is memory that the TD shares.
/// VIRTIO_F_RING_RESET too, of devices that can. Any thread. Not emulated: queue_notify_data.
class VirtioCommonConfig final : public BusRegion {
 public:
  /// `raise_vector` sends an MSI-X vector (kNoVector: none), from any thread.
  struct Surroundings {
    std::string name;  ///< for messages
    DmaMemory& memory;
    std::uint16_t vectors;  ///< MSI-X vectors that exist
    std::function<void(std::uint16_t vector, std::uint8_t isr)> raise_vector;
  };
  VirtioCommonConfig(VirtioDevice& device, Surroundings surroundings);
  ~VirtioCommonConfig() override { reset(); }

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

  std::size_t queue_count() const { return queues_.size(); }
  /// The queue's MSI-X vector, or kNoVector. Any thread.
  std::uint16_t queue_vector(std::size_t queue) const { return queues_[queue].vector; }
  /// Device configuration under the lock of this structure.
  void read_device_config(std::uint64_t offset, std::span<std::byte> data);
  void write_device_config(std::uint64_t offset, std::span<const std::byte> data);
  /// Tells the driver that the device's configuration is another one. Any thread.
  void configuration_changed();

 private:
  struct Queue {
    std::uint16_t maximum_size = 0;
    VirtqueuePlace place;
    bool enabled = false;
    std::atomic<std::uint16_t> vector;
    std::unique_ptr<Virtqueue> running;
  };

  void reset();
  // Under mutex_.
  std::uint64_t offered_features() const;
  std::uint64_t read_register(std::uint64_t offset) const;
  std::uint64_t read_queue_register(std::uint64_t offset) const;
  void write_register(std::uint64_t offset, std::uint32_t value);
  void write_queue_register(std::uint64_t offset, std::uint32_t value);
  void write_driver_feature(std::uint32_t value);
  void write_status(std::uint8_t value);
  void reset_locked();
  void start();
  Result<> make_queues();
  Result<> make_queue(Queue& queue);
  bool can_reset_queues() const;
  void enable_running(Queue& queue);
  void reset_queue(Queue& queue);
  static void forget(Queue& queue);
  VirtioSession make_session();
  Queue* selected();
  const Queue* selected() const;
  std::uint16_t checked_vector(std::uint32_t value) const;
  // Any thread, without mutex_: a device that is being stopped may be in this, or in configuration_changed().
  void device_failed(const Error& error);

  VirtioDevice& device_;
  const Surroundings surroundings_;
  std::mutex mutex_;
  std::vector<Queue> queues_;                ///< guarded by mutex_, but for vector
  std::uint64_t driver_features_ = 0;        ///< guarded by mutex_
  std::uint32_t device_feature_select_ = 0;  ///< guarded by mutex_
  std::uint32_t driver_feature_select_ = 0;  ///< guarded by mutex_
  std::uint16_t queue_select_ = 0;           ///< guarded by mutex_
  std::atomic<std::uint16_t> config_vector_;
  std::atomic<std::uint8_t> status_ = 0;
  std::atomic<std::uint8_t> generation_ = 0;
  std::atomic<bool> told_failure_ = false;
};

}  // namespace virttdx
