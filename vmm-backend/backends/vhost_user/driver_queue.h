// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "support/result.h"

namespace virttdx {

/// The driver's side of a split virtqueue (virtio 1.2, 2.7), for a device in another process. A request has a
/// token below the queue's size, and an indirect descriptor table of its own. The device may write anything
/// into the memory. One thread at a time, but for what stands before submit().
class DriverQueue {
 public:
  /// A token's part of the memory that is the client's: header and status of its request.
  static constexpr std::size_t kPrivateBytes = 64;

  /// `size`: entries, a power of two. `chain_maximum`: buffers of a request, at most 1024.
  static std::size_t bytes_needed(std::uint16_t size, std::uint16_t chain_maximum);
  /// `memory`: zeroed, page aligned, as many bytes as are needed; outlives it.
  DriverQueue(std::span<std::byte> memory, std::uint16_t size, std::uint16_t chain_maximum);

  std::uint16_t size() const { return size_; }
  std::span<std::byte> descriptors() const;
  std::span<std::byte> available() const;
  std::span<std::byte> used() const;

  std::span<std::byte> private_bytes(std::uint32_t token) const;
  /// Makes a request available once publish() is called. `writable` buffers are the last ones. The token is
  /// free, and its buffers are no more than `chain_maximum`.
  void submit(std::uint32_t token, std::span<const iovec> readable, std::span<const iovec> writable);
  /// Shows the device what was submitted. True: it wants to be notified.
  bool publish();
  /// The token of a request that the device has finished, if any. InvalidData: the device gave back what it
  /// has not, and is not to be followed any more.
  Result<std::optional<std::uint32_t>> take();
  std::size_t in_flight() const { return in_flight_; }

 private:
  std::span<std::byte> table(std::uint32_t token) const;

  std::span<std::byte> memory_;
  std::uint16_t size_;
  std::uint16_t chain_maximum_;
  std::vector<bool> is_in_flight_;  ///< by token
  std::size_t in_flight_ = 0;
  std::uint16_t next_available_ = 0;  ///< submitted
  std::uint16_t next_used_ = 0;
};

}  // namespace virttdx
