// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "devices/virtio_rng/virtio_rng.h"
#include "manual_worker.h"

namespace virttdx::test {

/// Gives `left` bytes of value 7.
struct CountedEntropy final : EntropySource {
  QueueWorker& worker() override { return manual; }
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = std::min(left, into.size());
    std::fill_n(into.begin(), count, std::byte{7});
    left -= count;
    return count;
  }
  test::ManualWorker manual;
  std::size_t left = 1 << 20;
};

}  // namespace virttdx::test
