// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/qgs_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "support/byte_order.h"
#include "support/unique_fd.h"

namespace virttdx {
namespace {

// A message on the stream: its size as a big-endian u32, then the message itself, little-endian.
constexpr std::size_t kPrefixSize = 4;
constexpr std::size_t kMajor = 0;
constexpr std::size_t kMinor = 2;
constexpr std::size_t kType = 4;
constexpr std::size_t kSize = 8;
constexpr std::size_t kErrorCode = 12;
constexpr std::size_t kReportSize = 16;      // request
constexpr std::size_t kSelectedIdSize = 16;  // response
constexpr std::size_t kQuoteSize = 20;       // response
constexpr std::size_t kBodyOverhead = 24;    // header and the two sizes, of both
constexpr std::uint16_t kVersion = 1;        // major and minor
constexpr std::uint32_t kGetQuoteRequest = 0;
constexpr std::uint32_t kGetQuoteResponse = 1;

constexpr std::chrono::seconds kTimeout(30);

/// A non-blocking stream with one deadline for everything, and an end from outside.
class Stream {
 public:
  Stream(UniqueFd fd, int stop_fd)
      : fd_(std::move(fd)), stop_fd_(stop_fd), deadline_(std::chrono::steady_clock::now() + kTimeout) {}

  Result<> send_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      TRY(wait(POLLOUT));
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return fail_errno(errno, "cannot send the report");
      if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return {};
  }

  Result<> receive_all(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
      TRY(wait(POLLIN));
      const ssize_t received = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
      if (received == 0) return fail(Error::Code::InvalidData, "connection closed in the middle of a reply");
      if (received < 0 && errno != EAGAIN && errno != EINTR)
        return fail_errno(errno, "cannot receive the quote");
      if (received > 0) bytes = bytes.subspan(static_cast<std::size_t>(received));
    }
    return {};
  }

 private:
  Result<> wait(short events) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return fail(Error::Code::TimedOut, "no answer within {} seconds", kTimeout.count());
    pollfd polled[] = {{fd_.get(), events, 0}, {stop_fd_, POLLIN, 0}};
    if (poll(polled, std::size(polled), static_cast<int>(left.count())) < 0 && errno != EINTR)
      return fail_errno(errno, "cannot wait for the socket");
    if (polled[1].revents != 0) return fail(Error::Code::Interrupted, "the TD ends");
    return {};
  }

  UniqueFd fd_;
  int stop_fd_;
  std::chrono::steady_clock::time_point deadline_;
};

Result<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return fail(Error::Code::InvalidArgument, "path is longer than {} bytes", sizeof(address.sun_path) - 1);
  std::ranges::copy(path, address.sun_path);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno(errno, "cannot make a socket");
  // SAFETY: the sockets interface takes every family's address by the generic type.
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return fail_errno(errno, "cannot connect");
  return fd;
}

std::vector<std::byte> encode_request(std::span<const std::byte> report) {
  const std::size_t size = kBodyOverhead + report.size();
  std::vector<std::byte> bytes(kPrefixSize + size);
  store_le(std::span(bytes), 0, __builtin_bswap32(static_cast<std::uint32_t>(size)));
  const auto body = std::span(bytes).subspan(kPrefixSize);
  store_le(body, kMajor, kVersion);
  store_le(body, kMinor, kVersion);
  store_le(body, kType, kGetQuoteRequest);
  store_le(body, kSize, static_cast<std::uint32_t>(size));
  store_le(body, kReportSize, static_cast<std::uint32_t>(report.size()));
  std::ranges::copy(report, body.begin() + kBodyOverhead);
  return bytes;
}

Result<> check_response(std::span<const std::byte> body) {
  const auto word = [&](std::size_t offset) { return load_le<std::uint32_t>(body, offset); };
  const auto major = load_le<std::uint16_t>(body, kMajor);
  const auto minor = load_le<std::uint16_t>(body, kMinor);
  if (major != kVersion || minor != kVersion)
    return fail(Error::Code::InvalidData, "reply has version {}.{} instead of 1.1", major, minor);
  if (word(kType) != kGetQuoteResponse)
    return fail(Error::Code::InvalidData, "reply has type {} instead of 1", word(kType));
  if (word(kErrorCode) != 0)
    return fail(Error::Code::InvalidData, "the service reports error {:#x}", word(kErrorCode));
  if (word(kSize) != body.size() || word(kSelectedIdSize) != 0 ||
      word(kQuoteSize) != body.size() - kBodyOverhead)
    return fail(Error::Code::InvalidData, "reply of {} bytes says message {}, id {}, quote {} bytes",
                body.size(), word(kSize), word(kSelectedIdSize), word(kQuoteSize));
  return {};
}

Result<std::vector<std::byte>> exchange(Stream& stream, std::span<const std::byte> report,
                                        std::size_t maximum_size) {
  TRY(stream.send_all(encode_request(report)));
  std::array<std::byte, kPrefixSize> prefix{};
  TRY(stream.receive_all(prefix));
  const std::size_t size = __builtin_bswap32(load_le<std::uint32_t>(prefix, 0));
  if (size < kBodyOverhead || size - kBodyOverhead > maximum_size)
    return fail(Error::Code::InvalidData, "reply of {} bytes is not one of {} to {}", size, kBodyOverhead,
                kBodyOverhead + maximum_size);
  std::vector<std::byte> body(size);
  TRY(stream.receive_all(body));
  return quote_of_response(std::move(body));
}

}  // namespace

Result<std::vector<std::byte>> quote_of_response(std::vector<std::byte> body) {
  if (body.size() < kBodyOverhead)
    return fail(Error::Code::InvalidData, "reply of {} bytes is shorter than its header", body.size());
  TRY(check_response(body));
  body.erase(body.begin(), body.begin() + kBodyOverhead);
  return body;
}

Result<std::vector<std::byte>> request_quote(const std::string& socket_path,
                                             std::span<const std::byte> report, std::size_t maximum_size,
                                             int stop_fd) {
  const auto run = [&]() -> Result<std::vector<std::byte>> {
    Stream stream(TRY(connect_to(socket_path)), stop_fd);
    return exchange(stream, report, maximum_size);
  };
  auto quote = run();
  if (!quote)
    return tl::unexpected<Error>(
        std::move(quote).error().with_context(fmt::format("quote generation service '{}'", socket_path)));
  return quote;
}

}  // namespace virttdx
