// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/file_ring.h"

#include <sys/eventfd.h>

#include <array>
#include <cerrno>

namespace virttdx {
namespace {

constexpr std::array kAllowedOperations = {IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC,
                                           IORING_OP_FALLOCATE};
// What does not fit into the submission queue is passed on in parts.
constexpr unsigned kSpareSubmissions = 128, kSpareCompletions = 1024;

/// liburing's functions return 0 or more, or -errno.
Result<> checked(int answer, const char* call) {
  if (answer < 0) return fail_errno(-answer, "{}", call);
  return {};
}

}  // namespace

Result<std::unique_ptr<FileRing>> FileRing::create(int fd, unsigned operations) {
  std::unique_ptr<FileRing> ring(new FileRing);
  TRY(ring->set_up(fd, {}, operations, false));
  return ring;
}

Result<std::unique_ptr<FileRing>> FileRing::create_spare() {
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_CQSIZE;
  parameters.cq_entries = kSpareCompletions;
  std::unique_ptr<FileRing> ring(new FileRing);
  TRY(ring->set_up(-1, parameters, kSpareSubmissions, true));
  return ring;
}

FileRing::~FileRing() {
  if (is_set_up_) io_uring_queue_exit(&ring_);
}

Result<> FileRing::set_up(int fd, io_uring_params parameters, unsigned entries, bool is_spare) {
  parameters.flags |= IORING_SETUP_R_DISABLED;
  TRY(checked(io_uring_queue_init_params(entries, &ring_, &parameters), "io_uring_setup"));
  is_set_up_ = true;
  event_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_) return fail_errno(errno, "eventfd");
  TRY(checked(io_uring_register_files(&ring_, &fd, 1), "IORING_REGISTER_FILES"));
  TRY(checked(io_uring_register_eventfd(&ring_, event_.get()), "IORING_REGISTER_EVENTFD"));
  TRY(restrict(is_spare));
  return checked(io_uring_enable_rings(&ring_), "IORING_REGISTER_ENABLE_RINGS");
}

Result<> FileRing::restrict(bool is_spare) {
  std::array<io_uring_restriction, kAllowedOperations.size() + 2> rules{};
  for (std::size_t i = 0; i < kAllowedOperations.size(); ++i) {
    rules.at(i).opcode = IORING_RESTRICTION_SQE_OP;
    rules.at(i).sqe_op = static_cast<std::uint8_t>(kAllowedOperations.at(i));
  }
  std::size_t count = kAllowedOperations.size();
  rules.at(count).opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
  rules.at(count++).sqe_flags = IOSQE_FIXED_FILE;
  // Another file is one that the monitor has open, and can read and write without a ring.
  if (is_spare) {
    rules.at(count).opcode = IORING_RESTRICTION_REGISTER_OP;
    rules.at(count++).register_op = IORING_REGISTER_FILES_UPDATE;
  }
  return checked(io_uring_register_restrictions(&ring_, rules.data(), static_cast<unsigned>(count)),
                 "IORING_REGISTER_RESTRICTIONS");
}

Result<> FileRing::use_file(int fd) {
  return checked(io_uring_register_files_update(&ring_, kFile, &fd, 1), "IORING_REGISTER_FILES_UPDATE");
}

SpareRings::SpareRings(std::size_t count) {
  while (rings_.size() < count) {
    auto ring = FileRing::create_spare();
    if (!ring) return;
    rings_.push_back(std::move(*ring));
  }
}

std::unique_ptr<FileRing> SpareRings::take() {
  if (rings_.empty()) return nullptr;
  auto ring = std::move(rings_.back());
  rings_.pop_back();
  return ring;
}

// One that keeps its file is of no use to another.
void SpareRings::give_back(std::unique_ptr<FileRing> ring) {
  if (ring->use_file(-1)) rings_.push_back(std::move(ring));
}

}  // namespace virttdx
