// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/quote_service.h"

#include <sys/eventfd.h>

#include <array>

#include "support/byte_order.h"
#include "support/log.h"
#include "tdx/qgs_client.h"
#include "tdx/td_vmcall_spec.h"

namespace virttdx {
namespace {

namespace quote = td_vmcall::quote;

constexpr std::size_t kMaximumRequests = 16;

bool is_valid_header(std::span<const std::byte> header, std::uint64_t size) {
  return load_le<std::uint64_t>(header, quote::kVersion) == quote::kVersion1 &&
         load_le<std::uint64_t>(header, quote::kStatus) == 0 &&
         load_le<std::uint32_t>(header, quote::kOutLength) == 0 &&
         load_le<std::uint32_t>(header, quote::kInLength) <= size - quote::kHeaderSize;
}

template <typename T>
bool write_field(DmaMemory& memory, Gpa buffer, std::size_t offset, T value) {
  std::array<std::byte, sizeof(T)> bytes{};
  store_le(std::span(bytes), 0, value);
  return memory.write({buffer.value + offset}, bytes);
}

/// The guest may take the buffer's pages back at any time; then there is nobody to answer.
void write_answer(DmaMemory& memory, Gpa buffer, std::span<const std::byte> data, std::uint64_t status) {
  // The status last: it gives the buffer back to the guest.
  const bool written =
      memory.write({buffer.value + quote::kHeaderSize}, data) &&
      write_field(memory, buffer, quote::kOutLength, static_cast<std::uint32_t>(data.size())) &&
      write_field(memory, buffer, quote::kStatus, status);
  if (!written) log::warning("GetQuote: the buffer at {:#x} is no longer shared memory", buffer.value);
}

}  // namespace

QuoteService::QuoteService(DmaMemory& memory, std::optional<std::string> socket,
                           std::function<void()> on_completed)
    : memory_(memory), socket_(std::move(socket)), on_completed_(std::move(on_completed)) {
  if (!socket_) return;
  stop_event_.reset(eventfd(0, EFD_CLOEXEC));
  worker_ = std::thread([this] { worker_main(); });
}

QuoteService::~QuoteService() {
  if (!worker_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(stop_event_.get(), 1);
  changed_.notify_all();
  worker_.join();
}

std::uint64_t QuoteService::get_quote(Gpa buffer, std::uint64_t size) {
  if (size == 0 || size > quote::kMaximumBuffer) return td_vmcall::kInvalidOperand;
  if (!buffer.is_page_aligned() || size % kPageSize != 0) return td_vmcall::kAlignError;
  std::array<std::byte, quote::kHeaderSize> header{};
  if (!memory_.read(buffer, header) || !is_valid_header(header, size)) return td_vmcall::kInvalidOperand;
  Request request{buffer, size, std::vector<std::byte>(load_le<std::uint32_t>(header, quote::kInLength))};
  if (!memory_.read({buffer.value + quote::kHeaderSize}, request.report)) return td_vmcall::kInvalidOperand;
  if (worker_.joinable()) return enqueue(std::move(request));
  write_answer(memory_, buffer, {}, quote::kStatusServiceUnavailable);
  return td_vmcall::kSuccess;
}

std::uint64_t QuoteService::enqueue(Request request) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() == kMaximumRequests) return td_vmcall::kRetry;
  if (!write_field(memory_, request.buffer, quote::kStatus, quote::kStatusInFlight))
    return td_vmcall::kInvalidOperand;
  waiting_.push_back(std::move(request));
  changed_.notify_all();
  return td_vmcall::kSuccess;
}

void QuoteService::worker_main() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Request& request = waiting_.front();  // stays valid: others append only
    lock.unlock();
    answer(request);
    lock.lock();
    waiting_.pop_front();
  }
}

void QuoteService::answer(const Request& request) {
  const auto got =
      request_quote(*socket_, request.report, request.size - quote::kHeaderSize, stop_event_.get());
  if (got) {
    write_answer(memory_, request.buffer, *got, quote::kStatusSuccess);
  } else {
    log::error("GetQuote: {}", got.error().message());
    const bool answered = got.error().code() == Error::Code::InvalidData;
    write_answer(memory_, request.buffer, {},
                 answered ? quote::kStatusError : quote::kStatusServiceUnavailable);
  }
  on_completed_();
}

}  // namespace virttdx
