// SPDX-License-Identifier: GPL-2.0-or-later
// Where a network interface's packets go and come from.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "devices/virtio/queue_offload.h"
#include "devices/virtio/queue_worker.h"
#include "devices/virtio_net/network_link.h"

namespace virttdx {

/// One of a network back end's queue pairs, with a thread of its own. Packets stand behind a virtio-net
/// header of 12 bytes (virtio_net_spec::kHeaderSize). send() and receive(): on the worker's thread; nothing
/// blocks. The task is run again when something can be received, and when a send that said Later can be tried
/// again.
class PacketQueue {
 public:
  enum class Sent : std::uint8_t { Yes, Dropped, Later };
  virtual ~PacketQueue() = default;
  virtual QueueWorker& worker() = 0;
  /// `packet` is guest memory, with the header, `size` bytes in total.
  virtual Sent send(std::span<const iovec> packet, std::size_t size) = 0;
  /// The next packet, with its header, into the start of `into`; its size, or 0 when there is none.
  virtual std::size_t receive(std::span<std::byte> into) = 0;
  /// A received packet did not fit the guest's buffers.
  virtual void count_drop() = 0;
};

/// A network interface of the host's side. Any thread but for what its queues say. Outlives the devices that
/// use it.
class NetworkBackendDevice {
 public:
  struct Properties {
    std::array<std::byte, 6> mac{};
    std::optional<std::uint16_t> mtu;
    /// Checksum and segmentation offloads: virtio_net_spec::kFeature... that it can take and give.
    std::uint64_t offloads = 0;
    /// Of those and of the device's own features: not offered to the driver.
    std::uint64_t withheld = 0;
    bool event_index = true;  ///< VIRTIO_F_EVENT_IDX is offered
    std::uint16_t receive_queue_size = 256;
    std::uint16_t transmit_queue_size = 256;
  };
  virtual ~NetworkBackendDevice() = default;
  virtual const Properties& properties() const = 0;
  virtual std::size_t queue_pairs() const = 0;
  virtual PacketQueue& queue(std::size_t pair) = 0;
  /// Who moves the packets of a pair in the device's place, from and into its two queues; nullptr: nobody
  /// does, and queue() is there for it.
  virtual QueueOffload* offload(std::size_t /*pair*/) { return nullptr; }
  /// What the driver agreed to: a part of Properties::offloads. Before its packets flow.
  virtual void set_offloads(std::uint64_t features) = 0;
  /// The pairs from 0 to `count` - 1 get packets, the others none.
  virtual void set_active_pairs(std::size_t count) = 0;
  /// Kept over the machines in front of it. No packets pass while it is down, whatever the guest thinks.
  NetworkLink& link() { return link_; }

 private:
  NetworkLink link_;
};

}  // namespace virttdx
