// SPDX-License-Identifier: GPL-2.0-or-later
// A connection to a quote generation service that never waits longer than it may.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/qgs_address.h"

namespace virttdx::qgs {

/// Until when to wait, and what ends the wait before: a descriptor that becomes readable.
struct Patience {
  std::chrono::steady_clock::time_point deadline;
  int stop_fd = -1;

  /// Returns when `fd` is ready for `events` of poll(2). Errors: TimedOut, Interrupted, System.
  Result<> wait(int fd, short events) const;
};

/// One thread at a time.
class Stream {
 public:
  static Result<Stream> connect(const Address& address, const Patience& patience);

  Result<> send_all(std::span<const std::byte> bytes, const Patience& patience);
  /// Error NotFound: the service closed the connection before the first byte; InvalidData: later.
  Result<> receive_all(std::span<std::byte> bytes, const Patience& patience);

 private:
  explicit Stream(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace virttdx::qgs
