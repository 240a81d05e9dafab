// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/wire_domain.h"

#include <string_view>

namespace virttdx::driver {
namespace {

int digit_value(char digit) { return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10; }

// The registry holds checked text: 8, 4, 4, 4 and 12 digits with dashes in between.
void copy_uuid(const std::string& text, char (&bytes)[16]) {
  CHECK(text.size() == 36);
  const char* digit = text.data();
  for (char& byte : bytes) {
    if (*digit == '-') ++digit;
    byte = static_cast<char>(digit_value(digit[0]) << 4 | digit_value(digit[1]));
    digit += 2;
  }
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
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace virttdx::driver
