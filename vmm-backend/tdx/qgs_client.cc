// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/qgs_client.h"

#include <array>

#include "vmm_backend/qgs_message.h"

namespace virttdx::qgs {

Result<std::vector<std::byte>> Client::request_quote(std::span<const std::byte> report,
                                                     std::size_t maximum_size, const Patience& patience) {
  auto quote = ask(encode_quote_request(report), maximum_size, patience);
  if (quote) return quote;
  disconnect();
  return tl::unexpected(
      std::move(quote).error().with_context(fmt::format("quote generation service '{}'", to_text(address_))));
}

Result<std::vector<std::byte>> Client::ask(std::span<const std::byte> request, std::size_t maximum_size,
                                           const Patience& patience) {
  if (stream_) {
    auto quote = exchange(request, maximum_size, patience);
    if (quote || quote.error().code() != Error::Code::NotFound) return quote;
  }
  stream_ = TRY(Stream::connect(address_, patience));
  return exchange(request, maximum_size, patience);
}

Result<std::vector<std::byte>> Client::exchange(std::span<const std::byte> request, std::size_t maximum_size,
                                                const Patience& patience) {
  TRY(stream_->send_all(request, patience));
  std::array<std::byte, kPrefixSize> prefix{};
  TRY(stream_->receive_all(prefix, patience));
  const std::size_t size = size_of_prefix(prefix);
  if (size < kOverhead || size - kOverhead > maximum_size)
    return fail(Error::Code::InvalidData, "reply of {} bytes is not one of {} to {}", size, kOverhead,
                kOverhead + maximum_size);
  std::vector<std::byte> body(size);
  if (auto received = stream_->receive_all(body, patience); !received) {
    // A reply has begun: asking again would be another request.
    if (received.error().code() != Error::Code::NotFound) return tl::unexpected(received.error());
    return fail(Error::Code::InvalidData, "the service closed the connection within its reply");
  }
  return quote_of_response(body);
}

}  // namespace virttdx::qgs
