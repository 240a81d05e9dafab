// SPDX-License-Identifier: GPL-2.0-or-later
// The host's side of a socket device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "devices/virtio/queue_worker.h"

namespace virttdx {

/// The host's end of a connection. On the worker's thread; nothing blocks. The worker's task is run again
/// when a stream that could not has become able to.
class VsockStream {
 public:
  virtual ~VsockStream() = default;
  /// The guest has taken a connection that the host asked for; `host_port` is the host's port of it. Before
  /// any other call.
  virtual void accepted(std::uint32_t host_port) = 0;
  /// Takes bytes for the host: how many, 0 when there is no room. Nothing: nobody will read them any more.
  virtual std::optional<std::size_t> write(std::span<const std::byte> bytes) = 0;
  /// Moves bytes of the host into `into`, which is not empty: how many, 0 when there are none yet. Nothing:
  /// there will be none any more.
  virtual std::optional<std::size_t> read(std::span<std::byte> into) = 0;
  /// The host's program has gone. Of a connection that the guest has not taken yet.
  virtual bool is_gone() = 0;
  /// Nothing more will be written; the host reads the end behind what was.
  virtual void end_writing() = 0;
};

/// On the worker's thread, but for worker() and guest_cid(). Outlives the devices that use it.
class VsockBackend {
 public:
  /// A connection that the host wants.
  struct Incoming {
    std::uint32_t guest_port = 0;
    std::unique_ptr<VsockStream> stream;
  };
  virtual ~VsockBackend() = default;
  virtual QueueWorker& worker() = 0;
  virtual std::uint32_t guest_cid() const = 0;
  /// Connects to `port` of the host; nullptr: nobody listens there.
  virtual std::unique_ptr<VsockStream> connect(std::uint32_t port) = 0;
  /// The next connection that the host wants. The worker's task is run again when there is one.
  virtual std::optional<Incoming> accept() = 0;
};

}  // namespace virttdx
