// SPDX-License-Identifier: GPL-2.0-or-later
// TDVMCALL<GetQuote>: the guest's report goes to a quote generation service, the quote comes back into the
// guest's buffer. Source: GHCI, "TDG.VP.VMCALL<GetQuote>".
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bus/dma.h"
#include "support/unique_fd.h"
#include "tdx/qgs_client.h"
#include "vmm_backend/gpa.h"
#include "vmm_backend/qgs_address.h"

namespace virttdx {

struct QuoteServiceConfig {
  /// Absent: each request answers that there is no service.
  std::optional<qgs::Address> address;
  /// How long a vCPU that asks is held for the answer, which is then final when its TDVMCALL returns: Linux
  /// polls once a second for answers that come later. 0: never held.
  std::chrono::milliseconds wait{200};
  /// From the guest's request to its answer; Linux gives up after 30 seconds.
  std::chrono::milliseconds limit{30'000};
};

/// Any thread.
class QuoteService {
 public:
  /// `on_completed` is called on a thread of the service's after an answer came into the guest's buffer later
  /// than its TDVMCALL. `memory` outlives it.
  QuoteService(DmaMemory& memory, const QuoteServiceConfig& config, std::function<void()> on_completed);
  QuoteService(const QuoteService&) = delete;
  QuoteService& operator=(const QuoteService&) = delete;
  /// Drops requests that have no answer yet. No vCPU is in get_quote().
  ~QuoteService();

  /// Checks the guest's buffer and answers it now or later. Gives the TDVMCALL's completion status
  /// (td_vmcall::k...); Retry while 16 requests are under way.
  std::uint64_t get_quote(Gpa buffer, std::uint64_t size);

  /// Lets vCPUs that are held go: their answers come later.
  void release_vcpus();

 private:
  struct Request;
  using RequestPtr = std::shared_ptr<Request>;

  std::uint64_t enqueue(Request request);
  std::uint64_t await(const RequestPtr& request, std::unique_lock<std::mutex> lock);
  void worker_main();
  /// None: the service ends.
  RequestPtr next_request(qgs::Client& client);
  void finish(Request& request, Result<std::vector<std::byte>> quote);

  DmaMemory& memory_;
  const QuoteServiceConfig config_;
  const std::function<void()> on_completed_;
  UniqueFd stop_event_;
  std::mutex mutex_;
  std::condition_variable requested_, answered_;
  // Guarded by mutex_:
  std::deque<RequestPtr> waiting_;
  std::size_t under_way_ = 0;     ///< waiting, or with a worker
  std::size_t idle_workers_ = 0;  ///< have no request, or have answered it
  std::uint64_t releases_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;  ///< made as requests come at the same time
};

}  // namespace virttdx
