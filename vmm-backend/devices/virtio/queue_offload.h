// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bus/dma.h"
#include "devices/virtio/virtqueue.h"
#include "support/result.h"

namespace virttdx {

/// Who works on queues in their device's place, and reads and writes guest memory by itself. Outlives the
/// devices that use it. One thread at a time, but for doorbell() and call().
class QueueOffload {
 public:
  virtual ~QueueOffload() = default;
  /// The eventfd that tells it of new buffers in its queue `queue`. Any thread, always the same.
  virtual int doorbell(std::size_t queue) const = 0;
  /// The eventfd by which it tells of used buffers in its queue `queue`. Any thread, always the same.
  virtual int call(std::size_t queue) const = 0;
  /// Where guest memory is from now on. Not while it is started.
  virtual Result<> use_memory(std::span<const DmaFile> files) = 0;
  /// Takes its queues over until stop(), and waits for set_active(). `features`: what the driver negotiated.
  virtual Result<> start(std::uint64_t features, std::span<Virtqueue* const> queues) = 0;
  /// Works on the queues, or leaves them alone for a while. Nothing to do when not started.
  virtual Result<> set_active(bool active) = 0;
  /// Returns when the queues and guest memory are not used any more. Nothing to do when not started.
  virtual void stop() = 0;
};

}  // namespace virttdx
