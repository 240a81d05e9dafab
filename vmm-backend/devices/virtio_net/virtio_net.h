// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "devices/virtio/virtio_device.h"
#include "devices/virtio_net/network_backend.h"
#include "devices/virtio_net/packet_pair.h"
#include "devices/virtio_net/virtio_net_spec.h"

namespace virttdx {

/// A virtio network interface: several queue pairs, mergeable buffers, checksum and segmentation offloads as
/// far as the back end has them, MTU. Not emulated: receive filters (the back end sends what is for the
/// guest), announcing, changing offloads, RSS, UDP fragmentation.
class VirtioNet final : public VirtioDevice {
 public:
  /// `backend` outlives it.
  explicit VirtioNet(NetworkBackendDevice& backend) : backend_(backend) {}
  ~VirtioNet() override { stop(); }

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override { return virtio_net_spec::kPciClass; }
  std::uint64_t features() const override;
  bool offers_event_index() const override { return backend_.properties().event_index; }
  std::vector<std::uint16_t> queue_sizes() const override;
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  int doorbell(std::size_t queue) const override;
  int call(std::size_t queue) const override;
  void start(const VirtioSession& session) override;
  void stop() override;
  /// Not of a pair whose packets somebody else moves.
  bool resets_queues() const override { return backend_.offload(0) == nullptr; }
  void replace_queue(std::size_t index, Virtqueue* queue) override;

 private:
  bool has_control_queue() const { return backend_.queue_pairs() > 1; }
  std::size_t control_queue() const { return 2 * backend_.queue_pairs(); }
  QueueOffload* offload_of(std::size_t queue) const;
  void start_pair(std::size_t pair);
  void follow_link();
  // On the worker's thread of the pair.
  void serve(std::size_t pair);
  Result<> serve_control();
  std::uint8_t run_command(DescriptorChain& chain);

  NetworkBackendDevice& backend_;
  VirtioSession session_;
  std::vector<std::unique_ptr<PacketPair>> pairs_;  ///< nullptr: somebody else moves the packets
  std::mutex link_mutex_;                           ///< one that follows the link at a time
  std::vector<char> broken_;                        ///< by pair: each its own thread's
  DescriptorChain command_;
};

}  // namespace virttdx
