// SPDX-License-Identifier: GPL-2.0-or-later
// A virtio device without a purpose, for tests of transport and queues.
#pragma once

#include <sys/eventfd.h>

#include "devices/virtio/virtio_device.h"
#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"
#include "support/unique_fd.h"

namespace virttdx::test {

struct EchoDevice final : VirtioDevice {
  std::uint16_t type() const override { return virtio_spec::kDeviceEntropy; }
  std::uint16_t pci_class() const override { return 0xFF00; }
  std::uint64_t features() const override { return 0x5; }
  std::vector<std::uint16_t> queue_sizes() const override { return {256, 64}; }
  void read_config(std::size_t offset, std::span<std::byte> data) override {
    read_structure(config, offset, data);
  }
  void write_config(std::size_t offset, std::span<const std::byte> data) override {
    if (offset == 0 && data.size() == 4) std::copy(data.begin(), data.end(), config.begin());
  }
  int doorbell(std::size_t queue) const override { return bells.at(queue).get(); }
  int call(std::size_t queue) const override { return calls.at(queue); }
  void start(const VirtioSession& started) override {
    session = started;
    ++starts;
  }
  void stop() override { session.reset(); }
  bool resets_queues() const override { return has_queue_reset; }
  void replace_queue(std::size_t index, Virtqueue* queue) override {
    session.value().queues.at(index) = queue;
  }

  /// Rings since the last call.
  std::uint64_t rings(std::size_t queue) {
    eventfd_t count = 0;
    return ::eventfd_read(bells.at(queue).get(), &count) == 0 ? count : 0;
  }

  std::array<std::byte, 8> config{};
  std::array<UniqueFd, 2> bells{UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
                                UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))};
  std::array<int, 2> calls{-1, -1};
  std::optional<VirtioSession> session;
  int starts = 0;
  bool has_queue_reset = false;
};

}  // namespace virttdx::test
