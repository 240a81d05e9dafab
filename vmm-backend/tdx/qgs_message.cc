// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/qgs_message.h"

#include <algorithm>
#include <array>

#include "support/byte_order.h"

namespace virttdx::qgs {
namespace {

constexpr std::size_t kMajor = 0;
constexpr std::size_t kMinor = 2;
constexpr std::size_t kType = 4;
constexpr std::size_t kSize = 8;
constexpr std::size_t kErrorCode = 12;
// Request: report and list of ids. Response: selected id and quote.
constexpr std::size_t kReportSize = 16, kIdListSize = 20;
constexpr std::size_t kSelectedIdSize = 16, kQuoteSize = 20;

constexpr std::uint16_t kMajorVersion = 1;
constexpr std::uint16_t kMinorVersion = 1;

enum class Type : std::uint32_t { GetQuoteRequest = 0, GetQuoteResponse = 1 };

std::uint32_t word(std::span<const std::byte> body, std::size_t offset) {
  return load_le<std::uint32_t>(body, offset);
}

std::vector<std::byte> encode(Type type, ErrorCode error, std::size_t payload_size_at,
                              std::span<const std::byte> payload) {
  const auto size = static_cast<std::uint32_t>(kOverhead + payload.size());
  std::vector<std::byte> bytes(kPrefixSize + size);
  store_le(std::span(bytes), 0, __builtin_bswap32(size));
  const auto body = std::span(bytes).subspan(kPrefixSize);
  store_le(body, kMajor, kMajorVersion);
  store_le(body, kMinor, kMinorVersion);
  store_le(body, kType, static_cast<std::uint32_t>(type));
  store_le(body, kSize, size);
  store_le(body, kErrorCode, static_cast<std::uint32_t>(error));
  store_le(body, payload_size_at, static_cast<std::uint32_t>(payload.size()));
  std::ranges::copy(payload, body.begin() + kOverhead);
  return bytes;
}

// The minor version tells of additions, which change nothing in these two messages.
Result<> check_header(std::span<const std::byte> body, Type type) {
  if (body.size() < kOverhead)
    return fail(Error::Code::InvalidData, "message of {} bytes is shorter than its header", body.size());
  if (const auto major = load_le<std::uint16_t>(body, kMajor); major != kMajorVersion)
    return fail(Error::Code::InvalidData, "message has version {}.{} instead of 1.x", major,
                load_le<std::uint16_t>(body, kMinor));
  if (word(body, kType) != static_cast<std::uint32_t>(type))
    return fail(Error::Code::InvalidData, "message has type {} instead of {}", word(body, kType),
                static_cast<std::uint32_t>(type));
  if (word(body, kSize) != body.size())
    return fail(Error::Code::InvalidData, "message of {} bytes says that it has {}", body.size(),
                word(body, kSize));
  return {};
}

Result<std::vector<std::byte>> payload_of(std::span<const std::byte> body, std::size_t size_at,
                                          std::size_t id_size_at) {
  const auto payload = body.subspan(kOverhead);
  if (word(body, id_size_at) != 0 || word(body, size_at) != payload.size())
    return fail(Error::Code::InvalidData, "message with {} bytes of payload says {}, and {} bytes of ids",
                payload.size(), word(body, size_at), word(body, id_size_at));
  return std::vector<std::byte>(payload.begin(), payload.end());
}

}  // namespace

std::string_view describe(ErrorCode code) {
  constexpr std::array<std::string_view, 7> kTexts = {
      "unexpected error",     "out of memory", "invalid parameter", "invalid message version",
      "invalid message type", "invalid size",  "invalid error code"};
  const auto number = static_cast<std::uint32_t>(code) - static_cast<std::uint32_t>(ErrorCode::Unexpected);
  return number < kTexts.size() ? kTexts.at(number) : "unknown error";
}

std::uint32_t size_of_prefix(std::span<const std::byte, kPrefixSize> prefix) {
  return __builtin_bswap32(load_le<std::uint32_t>(prefix, 0));
}

std::vector<std::byte> encode_quote_request(std::span<const std::byte> report) {
  return encode(Type::GetQuoteRequest, ErrorCode::Success, kReportSize, report);
}

Result<std::vector<std::byte>> report_of_request(std::span<const std::byte> body) {
  TRY(check_header(body, Type::GetQuoteRequest));
  return payload_of(body, kReportSize, kIdListSize);
}

std::vector<std::byte> encode_quote_response(std::span<const std::byte> quote, ErrorCode error) {
  return encode(Type::GetQuoteResponse, error, kQuoteSize, quote);
}

Result<std::vector<std::byte>> quote_of_response(std::span<const std::byte> body) {
  TRY(check_header(body, Type::GetQuoteResponse));
  if (const auto error = static_cast<ErrorCode>(word(body, kErrorCode)); error != ErrorCode::Success)
    return fail(Error::Code::InvalidData, "the service reports error {:#x} ({})", word(body, kErrorCode),
                describe(error));
  return payload_of(body, kQuoteSize, kSelectedIdSize);
}

}  // namespace virttdx::qgs
