// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "devices/virtio/virtio_device.h"
#include "devices/virtio_blk/block_backend.h"
#include "devices/virtio_blk/virtio_blk_spec.h"

namespace virttdx {

/// The requests of one queue of a VirtioBlk: from its driver to its back end and back. Constructed and
/// destroyed while no thread calls it; the rest on the back end's thread.
class VirtioBlkQueue final : public BlockClient {
 public:
  struct Parts {
    Virtqueue& queue;
    BlockQueue& backend;
    const BlockBackend& block_backend;
    const BlockBackend::Properties& disk;
    const VirtioSession& session;
    const std::atomic<bool>& writeback;  ///< writes need not be durable
  };
  explicit VirtioBlkQueue(const Parts& parts);

  void on_doorbell() override;
  void on_done(std::span<const BlockCompletion> completions) override;

  BlockQueue& backend() { return parts_.backend; }

 private:
  /// A request in flight.
  struct Request {
    DescriptorChain chain;
    std::byte* status = nullptr;  ///< in guest memory
    std::uint32_t written = 0;    ///< bytes in the guest's buffers when it succeeds
  };
  void take_requests();
  Result<> begin(std::uint32_t token);
  /// Does what needs no back end. A status for the driver, or nothing when the back end has it.
  std::optional<std::uint8_t> dispatch(std::uint32_t token, std::span<const std::byte> header);
  std::optional<std::uint8_t> transfer(std::uint32_t token, std::uint64_t sector, bool is_write);
  std::optional<std::uint8_t> flush(std::uint32_t token);
  std::optional<std::uint8_t> change_range(std::uint32_t token, BlockOperation::Kind kind);
  std::uint8_t get_id(Request& request);
  void finish(std::uint32_t token, std::uint8_t status);
  bool is_inside(std::uint64_t sector, std::uint64_t size) const;

  const Parts parts_;
  std::vector<Request> requests_;    ///< by token
  std::vector<std::uint32_t> free_;  ///< tokens
  bool broken_ = false;              ///< the driver's queue cannot be followed any more
};

}  // namespace virttdx
