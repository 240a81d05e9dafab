// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/wire_domain.h"

#include <algorithm>
#include <array>

namespace virttdx::driver {
namespace {

int digit_value(char digit) { return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10; }

// The registry holds checked text: 32 digits and 4 dashes.
void copy_uuid(const std::string& text, char (&bytes)[16]) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != '-'; });
  CHECK(digits.size() == 32);
  for (std::size_t i = 0; i < 16; ++i)
    bytes[i] = static_cast<char>(digit_value(digits[2 * i]) << 4 | digit_value(digits[2 * i + 1]));
}

}  // namespace

remote_nonnull_domain wire_domain(Arena& arena, const std::string& name, const std::string& uuid, int id) {
  remote_nonnull_domain domain{};
  domain.name = arena.text(name);
  copy_uuid(uuid, domain.uuid);
  domain.id = id;
  return domain;
}

remote_nonnull_domain wire_domain(Arena& arena, const DomainRecord& record) {
  return wire_domain(arena, record.name, record.uuid, record.id);
}

std::string uuid_text(const char (&bytes)[16]) {
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return text;
}

}  // namespace virttdx::driver
