// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "devices/virtio/virtio_device.h"
#include "devices/virtio_net/network_backend.h"
#include "devices/virtio_net/virtio_net_spec.h"

namespace virttdx {

/// A pair of queues of a VirtioNet between its driver and its back end. All functions on the back end's
/// thread, but for construction and destruction.
class PacketPair {
 public:
  struct Parts {
    Virtqueue* receive;  ///< nullptr: the driver has none
    Virtqueue* transmit;
    PacketQueue& backend;
    const NetworkLink& link;
    bool mergeable;  ///< a packet may fill several chains
  };
  explicit PacketPair(const Parts& parts) : parts_(parts), packet_(virtio_net_spec::kPacketMaximum) {}

  Result<> serve();
  PacketQueue& backend() { return parts_.backend; }
  /// While no thread is in serve().
  void set_receive(Virtqueue* queue) { parts_.receive = queue; }
  void set_transmit(Virtqueue* queue) {
    parts_.transmit = queue;
    has_unsent_ = false;
  }

 private:
  Result<> transmit();
  Result<> receive();
  /// False: the driver has no room yet.
  Result<bool> deliver(std::span<std::byte> packet);
  Result<bool> take_room(std::size_t size);
  void fill(std::span<std::byte> packet);

  Parts parts_;
  DescriptorChain sending_;
  bool has_unsent_ = false;  ///< sending_ waits for the back end
  std::vector<std::byte> packet_;
  std::size_t packet_size_ = 0;          ///< of a packet that waits for room; 0: none does
  std::vector<DescriptorChain> chains_;  ///< that the packet goes to; the first room_ of them are in use
  std::size_t room_ = 0;
};

}  // namespace virttdx
