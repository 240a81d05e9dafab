// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/frame.h"

#include <array>

namespace virttdx::driver {
namespace {

std::uint32_t load_be32(std::string_view bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

void append_be32(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift & 0xFF));
}

FrameHeader decode_header(std::string_view bytes) {
  return {.program = load_be32(bytes, 0),
          .version = load_be32(bytes, 4),
          .procedure = static_cast<std::int32_t>(load_be32(bytes, 8)),
          .type = load_be32(bytes, 12),
          .serial = load_be32(bytes, 16),
          .status = load_be32(bytes, 20)};
}

}  // namespace

std::string encode_frame(const FrameHeader& header, std::string_view payload) {
  const std::size_t length = kFrameLengthSize + kFrameHeaderSize + payload.size();
  CHECK(length - kFrameLengthSize <= kFrameMaximum);
  std::string bytes;
  bytes.reserve(length);
  for (const std::uint32_t word :
       {static_cast<std::uint32_t>(length), header.program, header.version,
        static_cast<std::uint32_t>(header.procedure), header.type, header.serial, header.status})
    append_be32(bytes, word);
  return bytes.append(payload);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(consumed_);
  if (rest.size() < kFrameLengthSize) return std::nullopt;
  const std::size_t length = load_be32(rest, 0);
  if (length < kFrameLengthSize + kFrameHeaderSize || length - kFrameLengthSize > kFrameMaximum)
    return fail(Error::Code::InvalidData, "message length {} is outside 28 to {}", length,
                kFrameMaximum + kFrameLengthSize);
  if (rest.size() < length) return std::nullopt;
  const std::string_view body = rest.substr(kFrameLengthSize, length - kFrameLengthSize);
  Frame frame{decode_header(body), std::string(body.substr(kFrameHeaderSize))};
  consumed_ += length;
  // Moving the rest down only when most of the buffer is used keeps many small messages linear in time.
  if (consumed_ > buffer_.size() / 2) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
  return frame;
}

}  // namespace virttdx::driver
