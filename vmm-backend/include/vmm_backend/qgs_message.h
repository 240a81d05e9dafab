// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of Intel's quote generation service (QGS): qgs_msg_lib of the TDX quote generation service,
// version 1.x. On a stream each message stands behind its size, a big-endian u32; the messages are
// little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx::qgs {

/// Bytes of the size before each message.
inline constexpr std::size_t kPrefixSize = 4;
/// Bytes of a message besides its report or quote: header and two sizes, of request and response.
inline constexpr std::size_t kOverhead = 24;

/// What a service says instead of a quote: qgs_msg_error_t.
enum class ErrorCode : std::uint32_t {
  Success = 0,
  Unexpected = 0x12001,
  OutOfMemory = 0x12002,
  InvalidParameter = 0x12003,
  InvalidVersion = 0x12004,
  InvalidType = 0x12005,
  InvalidSize = 0x12006,
  InvalidCode = 0x12007,
};
/// "unexpected error"; "unknown error" for other numbers.
std::string_view describe(ErrorCode code);

/// The size that a prefix tells, and the prefix of a size.
std::uint32_t size_of_prefix(std::span<const std::byte, kPrefixSize> prefix);

/// GET_QUOTE_REQ with its prefix. `report` is a TDREPORT_STRUCT.
std::vector<std::byte> encode_quote_request(std::span<const std::byte> report);
/// The report in a GET_QUOTE_REQ, which is `body` without its prefix: hostile bytes. Error InvalidData.
Result<std::vector<std::byte>> report_of_request(std::span<const std::byte> body);

/// GET_QUOTE_RESP with its prefix; an error carries no quote.
std::vector<std::byte> encode_quote_response(std::span<const std::byte> quote,
                                             ErrorCode error = ErrorCode::Success);
/// The quote in a GET_QUOTE_RESP, which is `body` without its prefix: hostile bytes. Error InvalidData.
Result<std::vector<std::byte>> quote_of_response(std::span<const std::byte> body);

}  // namespace virttdx::qgs
