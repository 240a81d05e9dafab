// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/uuid_bytes.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace virttdx {

Result<std::array<std::byte, 16>> uuid_bytes(std::string_view uuid) {
  std::array<std::byte, 16> bytes{};
  std::string digits;
  std::copy_if(uuid.begin(), uuid.end(), std::back_inserter(digits), [](char c) { return c != '-'; });
  const bool all_hex = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (digits.size() != 2 * bytes.size() || !all_hex)
    return fail(Error::Code::InvalidArgument, "UUID '{}' is not 32 hexadecimal digits", uuid);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
  return bytes;
}

}  // namespace virttdx
