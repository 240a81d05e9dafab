// SPDX-License-Identifier: GPL-2.0-or-later
#include "values/base64.h"

#include <cstdint>

namespace virttdx::domain_xml {

Result<std::vector<std::byte>> decode_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0)
    return fail(Error::Code::InvalidData, "base64 text of {} characters is not a multiple of 4", text.size());
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) text.remove_suffix(1), ++padding;
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos)
      return fail(Error::Code::InvalidData, "a character that is not base64");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> count & 0xFF));
  }
  if ((bits & ((1U << count) - 1)) != 0)
    return fail(Error::Code::InvalidData, "base64 text with unused bits set");
  return bytes;
}

}  // namespace virttdx::domain_xml
