// SPDX-License-Identifier: GPL-2.0-or-later
// What every virtio device is towards its transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "devices/virtio/virtqueue.h"
#include "support/result.h"

namespace virttdx {

/// What a driver set up: valid from VirtioDevice::start() until stop() returns.
struct VirtioSession {
  std::uint64_t features = 0;
  /// A queue each; nullptr where the driver enabled none.
  std::vector<Virtqueue*> queues;
  /// The device cannot go on: it sets DEVICE_NEEDS_RESET, tells the driver, and answers nothing more until it
  /// is reset. Any thread; the first error is logged.
  std::function<void(const Error&)> fail;
  /// The device's configuration has changed. Any thread.
  std::function<void()> configuration_changed;

  bool has(std::uint64_t feature) const { return (features & feature) != 0; }
};

/// A device behind a transport. The transport calls everything but doorbell() under its lock, on vCPU
/// threads; the device works on its queues on threads of its back end.
class VirtioDevice {
 public:
  virtual ~VirtioDevice() = default;
  /// virtio_spec::kDevice...
  virtual std::uint16_t type() const = 0;
  /// PCI base class and sub-class in the high and low byte.
  virtual std::uint16_t pci_class() const = 0;
  /// The device type's features on offer; the transport adds those of every device.
  virtual std::uint64_t features() const = 0;
  /// Whether VIRTIO_F_EVENT_IDX is among those.
  virtual bool offers_event_index() const { return true; }
  /// Largest size of each queue, powers of two.
  virtual std::vector<std::uint16_t> queue_sizes() const = 0;
  /// Device configuration, any offset and size; bytes that are not there read 0.
  virtual void read_config(std::size_t offset, std::span<std::byte> data) = 0;
  virtual void write_config(std::size_t /*offset*/, std::span<const std::byte> /*data*/) {}
  /// The eventfd that the driver's notifications of queue `queue` ring, at any time.
  virtual int doorbell(std::size_t queue) const = 0;
  /// The eventfd by which somebody outside of this process tells of used buffers in queue `queue`, at any
  /// time; -1: nobody does. What no irqfd takes from it is the device's to read.
  virtual int call(std::size_t /*queue*/) const { return -1; }
  /// The driver is ready. The queues may hold buffers already.
  virtual void start(const VirtioSession& session) = 0;
  /// Returns when no thread uses the session nor guest memory any more. Nothing to do when not started.
  virtual void stop() = 0;
  /// Whether a driver may reset one of its queues (2.6.1); then there is replace_queue().
  virtual bool resets_queues() const { return false; }
  /// Of a device that is started: `queue` (nullptr: none) in place of the session's queue `index`, whose
  /// chains reach the driver no more. Returns when no thread uses that one nor its buffers.
  virtual void replace_queue(std::size_t /*index*/, Virtqueue* /*queue*/) {}
};

/// Copies the part of a configuration structure that a read wants; what lies beyond reads 0.
void read_structure(std::span<const std::byte> structure, std::size_t offset, std::span<std::byte> data);

}  // namespace virttdx
