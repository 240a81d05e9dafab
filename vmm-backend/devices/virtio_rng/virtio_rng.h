// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual I/O Device (VIRTIO) Version 1.2, section 5.4, "Entropy Device": one queue, no features, no
// configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "devices/virtio/queue_worker.h"
#include "devices/virtio/virtio_device.h"

namespace virttdx {

/// Where entropy comes from. Outlives the devices that use it.
class EntropySource {
 public:
  virtual ~EntropySource() = default;
  virtual QueueWorker& worker() = 0;
  /// Random bytes into the start of `into`; how many: at least 1, or 0 when there are none now, and then the
  /// worker's task is run again when there may be some. On the worker's thread.
  virtual std::size_t read(std::span<std::byte> into) = 0;
};

/// A virtio entropy device. What it gives a TD comes from the host: a TD's kernel mixes it with its own.
class VirtioRng final : public VirtioDevice {
 public:
  /// `source` outlives it.
  explicit VirtioRng(EntropySource& source) : source_(source) {}
  ~VirtioRng() override { stop(); }

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override { return 0xFF00; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queue_sizes() const override { return {64}; }
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  int doorbell(std::size_t) const override { return source_.worker().doorbell(); }
  void start(const VirtioSession& session) override;
  void stop() override;
  bool resets_queues() const override { return true; }
  void replace_queue(std::size_t index, Virtqueue* queue) override;

 private:
  // On the worker's thread.
  void serve();
  Result<> fill_buffers(Virtqueue& queue);
  /// Whether the chain at hand got its bytes.
  bool fill();

  EntropySource& source_;
  VirtioSession session_;
  DescriptorChain chain_;
  bool broken_ = false;
};

}  // namespace virttdx
