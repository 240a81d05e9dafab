// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/disk_engine.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "backends/transfer.h"

namespace virttdx {
namespace {

using Kind = BlockOperation::Kind;

int transfer(const DiskFile& file, const BlockOperation& operation) {
  Transfer transfer(file, operation);
  const bool is_read = operation.kind == Kind::Read;
  while (!transfer.is_complete()) {
    const auto buffers = transfer.remaining();
    const auto count = static_cast<int>(buffers.size());
    const auto offset = static_cast<off_t>(transfer.offset());
    const ssize_t moved =
        is_read ? ::preadv(file.fd.get(), buffers.data(), count, offset)
                : ::pwritev2(file.fd.get(), buffers.data(), count, offset, operation.durable ? RWF_DSYNC : 0);
    if (moved < 0 && errno == EINTR) continue;
    if (const int error = transfer.advance(moved < 0 ? -errno : moved); error != 0) return error;
  }
  return 0;
}

int flush_file(const DiskFile& file) {
  if (file.ignores_flush) return 0;
  return ::fdatasync(file.fd.get()) == 0 ? 0 : errno;
}

// For file systems that can neither zero nor punch a range.
int write_zeroes(const DiskFile& file, const BlockOperation& operation) {
  alignas(4096) static constexpr std::array<std::byte, 65536> kZeroes{};
  BlockOperation part = operation;
  part.kind = Kind::Write;
  for (std::uint64_t done = 0; done < operation.size; done += part.size) {
    part.offset = operation.offset + done;
    part.size = std::min<std::uint64_t>(kZeroes.size(), operation.size - done);
    // SAFETY: a write only reads its buffer.
    const iovec buffer{const_cast<std::byte*>(kZeroes.data()), part.size};
    part.buffers = {&buffer, 1};
    if (const int error = transfer(file, part); error != 0) return error;
  }
  return 0;
}

int change_range(const DiskFile& file, const BlockOperation& operation) {
  const int answer = ::fallocate(file.fd.get(), fallocate_mode(operation),
                                 static_cast<off_t>(operation.offset), static_cast<off_t>(operation.size));
  if (answer != 0 && errno != EOPNOTSUPP) return errno;
  // A discard is a hint.
  if (answer != 0 && operation.kind == Kind::WriteZeroes) return write_zeroes(file, operation);
  return operation.durable && answer == 0 ? flush_file(file) : 0;
}

class WaitingEngine final : public DiskEngine {
 public:
  explicit WaitingEngine(const DiskFile& file) : file_(file) {}
  int event() const override { return -1; }
  void submit(const BlockOperation& operation) override {
    done_.push_back({operation.token, run_operation(file_, operation)});
  }
  void flush() override {}
  void reap(std::vector<BlockCompletion>& done, bool) override {
    done.insert(done.end(), done_.begin(), done_.end());
    done_.clear();
  }
  std::size_t in_flight() const override { return done_.size(); }

 private:
  const DiskFile& file_;
  std::vector<BlockCompletion> done_;
};

}  // namespace

int fallocate_mode(const BlockOperation& operation) {
  const bool punch = operation.kind == Kind::Discard || operation.may_unmap;
  return (punch ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE;
}

int run_operation(const DiskFile& file, const BlockOperation& operation) {
  switch (operation.kind) {
    case Kind::Read:
    case Kind::Write:
      return transfer(file, operation);
    case Kind::Flush:
      return flush_file(file);
    case Kind::Discard:
    case Kind::WriteZeroes:
      return change_range(file, operation);
  }
  return EINVAL;
}

std::unique_ptr<DiskEngine> create_waiting_engine(const DiskFile& file) {
  return std::make_unique<WaitingEngine>(file);
}

}  // namespace virttdx
