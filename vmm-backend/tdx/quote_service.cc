// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/quote_service.h"

#include <sys/eventfd.h>

#include <array>

#include "support/byte_order.h"
#include "support/log.h"
#include "tdx/td_vmcall_spec.h"

namespace virttdx {
namespace {

namespace quote = td_vmcall::quote;

constexpr std::size_t kMaximumRequests = 16;
// Enough for a service that works on several at a time (qgsd: four threads), few enough for many TDs.
constexpr std::size_t kMaximumWorkers = 4;
// A connection is kept so long for the next request.
constexpr std::chrono::seconds kIdleConnection(5);

bool is_valid_header(std::span<const std::byte> header, std::uint64_t size) {
  return load_le<std::uint64_t>(header, quote::kVersion) == quote::kVersion1 &&
         load_le<std::uint64_t>(header, quote::kStatus) == 0 &&
         load_le<std::uint32_t>(header, quote::kOutLength) == 0 &&
         load_le<std::uint32_t>(header, quote::kInLength) == quote::kReportSize &&
         quote::kReportSize <= size - quote::kHeaderSize;
}

template <typename T>
bool write_field(DmaMemory& memory, Gpa buffer, std::size_t offset, T value) {
  std::array<std::byte, sizeof(T)> bytes{};
  store_le(std::span(bytes), 0, value);
  return memory.write({buffer.value + offset}, bytes);
}

struct Answer {
  std::uint64_t status = quote::kStatusServiceUnavailable;
  std::vector<std::byte> quote;
};

/// The guest may take the buffer's pages back at any time; then there is nobody to answer.
void write_answer(DmaMemory& memory, Gpa buffer, const Answer& answer) {
  // The status last: it gives the buffer back to the guest.
  const bool written =
      memory.write({buffer.value + quote::kHeaderSize}, answer.quote) &&
      write_field(memory, buffer, quote::kOutLength, static_cast<std::uint32_t>(answer.quote.size())) &&
      write_field(memory, buffer, quote::kStatus, answer.status);
  if (!written) log::warning("GetQuote: the buffer at {:#x} is no longer shared memory", buffer.value);
}

Answer answer_of(Result<std::vector<std::byte>> quote) {
  if (quote) return {quote::kStatusSuccess, *std::move(quote)};
  log::error("GetQuote: {}", quote.error().message());
  const bool answered = quote.error().code() == Error::Code::InvalidData;
  return {answered ? quote::kStatusError : quote::kStatusServiceUnavailable, {}};
}

}  // namespace

struct QuoteService::Request {
  Gpa buffer;
  std::uint64_t size = 0;
  std::vector<std::byte> report;
  std::chrono::steady_clock::time_point deadline;
  // Guarded by QuoteService::mutex_:
  bool vcpu_waits = true;        ///< it writes the answer itself
  std::optional<Answer> answer;  ///< for the vCPU that waits
};

QuoteService::QuoteService(DmaMemory& memory, const QuoteServiceConfig& config,
                           std::function<void()> on_completed)
    : memory_(memory), config_(config), on_completed_(std::move(on_completed)) {
  if (config_.address) stop_event_.reset(eventfd(0, EFD_CLOEXEC));
}

QuoteService::~QuoteService() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  if (stop_event_) eventfd_write(stop_event_.get(), 1);
  requested_.notify_all();
  for (auto& worker : workers_) worker.join();
}

std::uint64_t QuoteService::get_quote(Gpa buffer, std::uint64_t size) {
  if (size == 0 || size > quote::kMaximumBuffer) return td_vmcall::kInvalidOperand;
  if (!buffer.is_page_aligned() || size % kPageSize != 0) return td_vmcall::kAlignError;
  std::array<std::byte, quote::kHeaderSize> header{};
  if (!memory_.read(buffer, header) || !is_valid_header(header, size)) return td_vmcall::kInvalidOperand;
  Request request{buffer,
                  size,
                  std::vector<std::byte>(quote::kReportSize),
                  std::chrono::steady_clock::now() + config_.limit,
                  true,
                  {}};
  if (!memory_.read({buffer.value + quote::kHeaderSize}, request.report)) return td_vmcall::kInvalidOperand;
  if (config_.address) return enqueue(std::move(request));
  write_answer(memory_, buffer, {});
  return td_vmcall::kSuccess;
}

std::uint64_t QuoteService::enqueue(Request request) {
  std::unique_lock lock(mutex_);
  if (under_way_ == kMaximumRequests) return td_vmcall::kRetry;
  if (!write_field(memory_, request.buffer, quote::kStatus, quote::kStatusInFlight))
    return td_vmcall::kInvalidOperand;
  ++under_way_;
  waiting_.push_back(std::make_shared<Request>(std::move(request)));
  auto queued = waiting_.back();
  if (idle_workers_ < waiting_.size() && workers_.size() < kMaximumWorkers) {
    ++idle_workers_;
    workers_.emplace_back([this] { worker_main(); });
  }
  requested_.notify_one();
  return await(queued, std::move(lock));
}

std::uint64_t QuoteService::await(const RequestPtr& request, std::unique_lock<std::mutex> lock) {
  answered_.wait_for(lock, config_.wait, [&, releases = releases_] {
    return request->answer.has_value() || releases_ != releases;
  });
  request->vcpu_waits = false;
  const auto answer = std::move(request->answer);
  lock.unlock();
  if (answer) write_answer(memory_, request->buffer, *answer);
  return td_vmcall::kSuccess;
}

void QuoteService::release_vcpus() {
  const std::lock_guard lock(mutex_);
  ++releases_;
  answered_.notify_all();
}

void QuoteService::worker_main() {
  qgs::Client client(*config_.address);
  while (const auto request = next_request(client))
    finish(*request, client.request_quote(request->report, request->size - quote::kHeaderSize,
                                          {request->deadline, stop_event_.get()}));
}

QuoteService::RequestPtr QuoteService::next_request(qgs::Client& client) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stopping_ || !waiting_.empty(); };
  if (!requested_.wait_for(lock, kIdleConnection, ready)) {
    client.disconnect();
    requested_.wait(lock, ready);
  }
  if (stopping_) return nullptr;
  --idle_workers_;
  auto request = std::move(waiting_.front());
  waiting_.pop_front();
  return request;
}

void QuoteService::finish(Request& request, Result<std::vector<std::byte>> quote) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
    // Before the guest sees the answer and asks again.
    ++idle_workers_;
    if (stopping_) return;
    answer = answer_of(std::move(quote));
    if (request.vcpu_waits) {
      request.answer = std::move(answer);
      answered_.notify_all();
      return;
    }
  }
  write_answer(memory_, request.buffer, answer);
  on_completed_();
}

}  // namespace virttdx
