// SPDX-License-Identifier: GPL-2.0-or-later
// One message of libvirt's RPC: a 32-bit length of the whole, 24 bytes of header, payload; all big-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/result.h"

namespace virttdx::driver {

inline constexpr std::size_t kFrameLengthSize = 4;
inline constexpr std::size_t kFrameHeaderSize = 24;
/// VIR_NET_MESSAGE_MAX, which does not count the length word.
inline constexpr std::size_t kFrameMaximum = 33554432;
/// VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX: the most that one stream packet carries.
inline constexpr std::size_t kStreamPayloadMaximum = 262120;

/// virNetMessageHeader; type and status as in schemas/virnet_protocol.x.
struct FrameHeader {
  std::uint32_t program = 0;
  std::uint32_t version = 0;
  std::int32_t procedure = 0;
  std::uint32_t type = 0;
  std::uint32_t serial = 0;
  std::uint32_t status = 0;
  bool operator==(const FrameHeader&) const = default;
};

struct Frame {
  FrameHeader header;
  std::string payload;
};

/// The bytes of a message. The payload must fit kFrameMaximum.
std::string encode_frame(const FrameHeader& header, std::string_view payload);

/// Cuts a byte stream into messages. Memory grows with the bytes that came, never with a length announced.
class FrameReader {
 public:
  void append(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole message, nothing when more bytes are needed. InvalidData: the length is no frame's; the
  /// connection cannot be continued.
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace virttdx::driver
