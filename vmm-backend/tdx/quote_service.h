// SPDX-License-Identifier: GPL-2.0-or-later
// TDVMCALL<GetQuote>: the guest's report goes to a quote generation service, the quote comes back into the
// guest's buffer. Source: GHCI, "TDG.VP.VMCALL<GetQuote>".
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bus/dma.h"
#include "support/unique_fd.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Any thread.
class QuoteService {
 public:
  /// `socket`: the service's Unix socket; absent: each request answers that there is none. `on_completed` is
  /// called on a thread of its own after an answer came into the guest's buffer. `memory` outlives it.
  QuoteService(DmaMemory& memory, std::optional<std::string> socket, std::function<void()> on_completed);
  QuoteService(const QuoteService&) = delete;
  QuoteService& operator=(const QuoteService&) = delete;
  /// Drops requests that have no answer yet.
  ~QuoteService();

  /// Checks the guest's buffer and answers it at once (no service) or later. Gives the TDVMCALL's completion
  /// status (td_vmcall::k...); Retry while 16 requests wait.
  std::uint64_t get_quote(Gpa buffer, std::uint64_t size);

 private:
  struct Request {
    Gpa buffer;
    std::uint64_t size;
    std::vector<std::byte> report;
  };

  std::uint64_t enqueue(Request request);
  void worker_main();
  void answer(const Request& request);

  DmaMemory& memory_;
  const std::optional<std::string> socket_;
  const std::function<void()> on_completed_;
  UniqueFd stop_event_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> waiting_;  ///< the first one is being answered; guarded by mutex_
  bool stopping_ = false;        ///< guarded by mutex_
  std::thread worker_;           ///< with a socket only
};

}  // namespace virttdx
