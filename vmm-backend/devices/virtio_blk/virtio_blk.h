// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "devices/virtio/virtio_device.h"
#include "devices/virtio_blk/block_backend.h"
#include "devices/virtio_blk/virtio_blk_spec.h"

namespace virttdx {

class VirtioBlkQueue;

/// A virtio disk: read, write, flush, get-id, discard, write zeroes, several queues, write cache control.
/// Not emulated: geometry, secure erase, lifetime, zoned storage; one segment a discard or write-zeroes
/// request.
class VirtioBlk final : public VirtioDevice {
 public:
  /// `backend` outlives it.
  explicit VirtioBlk(BlockBackend& backend);
  ~VirtioBlk() override;

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override { return virtio_blk_spec::kPciClass; }
  std::uint64_t features() const override;
  bool offers_event_index() const override { return backend_.properties().event_index; }
  std::vector<std::uint16_t> queue_sizes() const override;
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  void write_config(std::size_t offset, std::span<const std::byte> data) override;
  int doorbell(std::size_t queue) const override { return backend_.queue(queue).doorbell(); }
  void start(const VirtioSession& session) override;
  void stop() override;
  bool resets_queues() const override { return true; }
  void replace_queue(std::size_t index, Virtqueue* queue) override;

 private:
  void start_queue(std::size_t index);
  void stop_queue(std::size_t index);

  BlockBackend& backend_;
  std::atomic<bool> writeback_;
  VirtioSession session_;
  std::vector<std::unique_ptr<VirtioBlkQueue>> queues_;  ///< by index; nullptr: it does not run
};

}  // namespace virttdx
