// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/eventfd.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "devices/virtio_blk/block_backend.h"

namespace virttdx::test {

/// Hands operations in when its doorbell rings, and waits for their ends.
class DiskClient final : public BlockClient {
 public:
  explicit DiskClient(BlockQueue& queue) : queue_(queue) { queue_.set_client(this); }
  ~DiskClient() override { queue_.set_client(nullptr); }
  void on_doorbell() override {
    const std::lock_guard lock(mutex_);
    for (const BlockOperation& operation : waiting_) queue_.submit(operation);
    waiting_.clear();
  }
  void on_done(std::span<const BlockCompletion> completions) override {
    const std::lock_guard lock(mutex_);
    done_.insert(done_.end(), completions.begin(), completions.end());
    changed_.notify_all();
  }
  void begin(const std::vector<BlockOperation>& operations) {
    {
      const std::lock_guard lock(mutex_);
      done_.clear();
      waiting_ = operations;
    }
    ::eventfd_write(queue_.doorbell(), 1);
  }
  /// The error of the last of `count` operations that were begun.
  int wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_.size() == count; });
    for (const BlockCompletion& completion : done_)
      if (completion.error != 0) return completion.error;
    return 0;
  }
  int run(const std::vector<BlockOperation>& operations) {
    begin(operations);
    return wait(operations.size());
  }

 private:
  BlockQueue& queue_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<BlockOperation> waiting_;
  std::vector<BlockCompletion> done_;
};

}  // namespace virttdx::test
