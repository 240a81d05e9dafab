// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <memory>

#include "backends/worker.h"
#include "devices/virtio_rng/virtio_rng.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// Entropy from a file of the host, at the configured rate.
class EntropyFile final : public EntropySource {
 public:
  static Result<std::unique_ptr<EntropyFile>> create(const RngConfig& config);
  QueueWorker& worker() override { return *worker_; }
  std::size_t read(std::span<std::byte> into) override;

 private:
  explicit EntropyFile(const RngConfig& config) : config_(config) {}
  Result<> open();
  std::size_t budget();
  void wait_for_file();
  void wait_for_period();

  const RngConfig config_;
  UniqueFd file_;
  UniqueFd timer_;
  bool waits_for_file_ = false;
  std::uint32_t used_ = 0;  ///< bytes of this period
  std::chrono::steady_clock::time_point period_begin_;
  std::unique_ptr<Worker> worker_;  // last: its thread uses what stands above
};

}  // namespace virttdx
