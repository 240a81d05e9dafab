// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <liburing.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <optional>

#include "backends/disk_engine.h"
#include "backends/file_ring.h"
#include "backends/transfer.h"

namespace virttdx {
namespace {

using Kind = BlockOperation::Kind;

class UringEngine final : public DiskEngine {
 public:
  UringEngine(const DiskFile& file, std::unique_ptr<FileRing> ring, SpareRings* spare_rings)
      : file_(file),
        ring_of_file_(std::move(ring)),
        ring_(ring_of_file_->ring()),
        spare_rings_(spare_rings),
        slots_(file.properties.queue_size) {}
  ~UringEngine() override {
    if (spare_rings_ != nullptr && in_flight_ == 0) spare_rings_->give_back(std::move(ring_of_file_));
  }
  UringEngine(const UringEngine&) = delete;
  UringEngine& operator=(const UringEngine&) = delete;

  int event() const override { return ring_of_file_->event(); }
  void submit(const BlockOperation& operation) override;
  void flush() override;
  void reap(std::vector<BlockCompletion>& done, bool wait) override;
  std::size_t in_flight() const override { return in_flight_; }

 private:
  void queue(std::uint32_t token);
  void prepare(io_uring_sqe& entry, const BlockOperation& operation);
  io_uring_sqe* next_entry();
  /// The end of an operation, or nothing when the rest of it was queued.
  std::optional<int> complete(std::uint32_t token, int answer);

  const DiskFile& file_;
  std::unique_ptr<FileRing> ring_of_file_;
  io_uring& ring_;
  SpareRings* const spare_rings_;  ///< where the ring came from; nullptr: it was made for this engine
  std::vector<std::optional<Transfer>> slots_;  ///< by token
  std::size_t in_flight_ = 0;
  bool cannot_change_ranges_ = false;  ///< fallocate answered EOPNOTSUPP
  std::vector<BlockCompletion> done_;  ///< without the ring
};

void UringEngine::submit(const BlockOperation& operation) {
  const bool changes_range = operation.kind == Kind::Discard || operation.kind == Kind::WriteZeroes;
  ++in_flight_;
  if ((operation.kind == Kind::Flush && file_.ignores_flush) || (changes_range && cannot_change_ranges_)) {
    done_.push_back({operation.token, run_operation(file_, operation)});
    return;
  }
  slots_[operation.token].emplace(file_, operation);
  queue(operation.token);
}

void UringEngine::queue(std::uint32_t token) {
  io_uring_sqe* const entry = next_entry();
  if (entry == nullptr) {
    done_.push_back({token, EBUSY});
    return;
  }
  prepare(*entry, slots_[token]->operation());
  entry->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(entry, token);
}

// The ring has an entry for each token; a full one has not been passed on yet.
io_uring_sqe* UringEngine::next_entry() {
  if (io_uring_sqe* const entry = io_uring_get_sqe(&ring_)) return entry;
  flush();
  return io_uring_get_sqe(&ring_);
}

void UringEngine::prepare(io_uring_sqe& entry, const BlockOperation& operation) {
  const Transfer& transfer = *slots_[operation.token];
  const auto buffers = transfer.remaining();
  const auto count = static_cast<unsigned>(buffers.size());
  switch (operation.kind) {
    case Kind::Read:
      io_uring_prep_readv(&entry, FileRing::kFile, buffers.data(), count, transfer.offset());
      break;
    case Kind::Write:
      io_uring_prep_writev2(&entry, FileRing::kFile, buffers.data(), count, transfer.offset(),
                            operation.durable ? RWF_DSYNC : 0);
      break;
    case Kind::Flush:
      io_uring_prep_fsync(&entry, FileRing::kFile, IORING_FSYNC_DATASYNC);
      break;
    case Kind::Discard:
    case Kind::WriteZeroes:
      io_uring_prep_fallocate(&entry, FileRing::kFile, fallocate_mode(operation),
                              static_cast<off_t>(operation.offset), static_cast<off_t>(operation.size));
  }
}

void UringEngine::flush() {
  // -EBUSY and -EAGAIN: the kernel wants completions to be reaped first; what is queued stays queued.
  io_uring_submit(&ring_);
}

void UringEngine::reap(std::vector<BlockCompletion>& done, bool wait) {
  eventfd_t count = 0;
  ::eventfd_read(event(), &count);
  if (wait && done_.empty() && in_flight_ > 0) io_uring_submit_and_wait(&ring_, 1);
  io_uring_cqe* entry = nullptr;
  while (io_uring_peek_cqe(&ring_, &entry) == 0) {
    const auto token = static_cast<std::uint32_t>(io_uring_cqe_get_data64(entry));
    const int answer = entry->res;
    io_uring_cqe_seen(&ring_, entry);
    if (const auto error = complete(token, answer)) done_.push_back({token, *error});
  }
  // What moved in part goes on: nobody else would pass it on now.
  if (io_uring_sq_ready(&ring_) > 0) flush();
  in_flight_ -= done_.size();
  done.insert(done.end(), done_.begin(), done_.end());
  done_.clear();
}

std::optional<int> UringEngine::complete(std::uint32_t token, int answer) {
  Transfer& transfer = *slots_[token];
  const BlockOperation& operation = transfer.operation();
  if (answer == -EINTR || answer == -EAGAIN) {
    queue(token);
    return std::nullopt;
  }
  if (operation.kind == Kind::Flush) return answer < 0 ? -answer : 0;
  if (operation.kind == Kind::Discard || operation.kind == Kind::WriteZeroes) {
    if (answer == -EOPNOTSUPP) cannot_change_ranges_ = true;
    if (answer == -EOPNOTSUPP || (answer == 0 && operation.durable)) return run_operation(file_, operation);
    return answer < 0 ? -answer : 0;
  }
  if (const int error = transfer.advance(answer); error != 0 || transfer.is_complete()) return error;
  queue(token);
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<DiskEngine>> create_uring_engine(const DiskFile& file) {
  auto ring = TRY(FileRing::create(file.fd.get(), file.properties.queue_size));
  return std::make_unique<UringEngine>(file, std::move(ring), nullptr);
}

Result<std::unique_ptr<DiskEngine>> create_uring_engine(const DiskFile& file, SpareRings& rings) {
  auto ring = rings.take();
  if (!ring) return fail(Error::Code::Busy, "the rings that the monitor made for added disks are in use");
  TRY(ring->use_file(file.fd.get()));
  return std::make_unique<UringEngine>(file, std::move(ring), &rings);
}

}  // namespace virttdx
