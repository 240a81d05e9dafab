// SPDX-License-Identifier: GPL-2.0-or-later
// A disk in memory whose queues have no thread: pump() is the thread.
#pragma once

#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "devices/virtio_blk/block_backend.h"
#include "support/unique_fd.h"

namespace virttdx::test {

class MemoryDisk final : public BlockBackend {
 public:
  explicit MemoryDisk(Properties disk_properties, std::size_t queues = 1)
      : disk(std::move(disk_properties)), bytes(disk.capacity) {
    for (std::size_t i = 0; i < queues; ++i) queues_.emplace_back(*this);
  }
  const Properties& properties() const override { return disk; }
  std::size_t queue_count() const override { return queues_.size(); }
  BlockQueue& queue(std::size_t index) override { return queues_.at(index); }

  /// What a back end's thread would do now: serve doorbells that rang, then finish what was submitted.
  void pump() {
    for (Queue& queue : queues_) queue.pump();
  }
  /// Serves doorbells only.
  void pump_doorbells() {
    for (Queue& queue : queues_) queue.serve_doorbell();
  }

  Properties disk;
  std::vector<std::byte> bytes;
  std::vector<BlockOperation> log;  ///< everything submitted
  int error = 0;                    ///< what every operation ends with

 private:
  class Queue final : public BlockQueue {
   public:
    explicit Queue(MemoryDisk& owner) : owner_(owner) {}
    int doorbell() const override { return doorbell_.get(); }
    void set_client(BlockClient* client) override {
      submitted_.clear();
      client_ = client;
      if (client_ != nullptr) client_->on_doorbell();
    }
    void submit(const BlockOperation& operation) override {
      owner_.log.push_back(operation);
      submitted_.push_back(operation);
    }
    void serve_doorbell() {
      eventfd_t count = 0;
      if (::eventfd_read(doorbell_.get(), &count) == 0 && client_ != nullptr) client_->on_doorbell();
    }
    void pump() {
      serve_doorbell();
      while (!submitted_.empty()) {
        const BlockOperation operation = submitted_.front();
        submitted_.pop_front();
        if (owner_.error == 0) owner_.run(operation);
        const BlockCompletion completion{operation.token, owner_.error};
        client_->on_done({&completion, 1});
      }
    }

   private:
    MemoryDisk& owner_;
    UniqueFd doorbell_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    BlockClient* client_ = nullptr;
    std::deque<BlockOperation> submitted_;
  };

  void run(const BlockOperation& operation) {
    std::uint64_t at = operation.offset;
    for (const iovec& buffer : operation.buffers) {
      if (operation.kind == BlockOperation::Kind::Read)
        std::memcpy(buffer.iov_base, bytes.data() + at, buffer.iov_len);
      else
        std::memcpy(bytes.data() + at, buffer.iov_base, buffer.iov_len);
      at += buffer.iov_len;
    }
    if (operation.kind == BlockOperation::Kind::WriteZeroes)
      std::memset(bytes.data() + operation.offset, 0, operation.size);
  }

  std::deque<Queue> queues_;
};

}  // namespace virttdx::test
