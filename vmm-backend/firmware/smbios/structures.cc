// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/smbios/structures.h"

namespace virttdx {

using namespace smbios_spec;

SmbiosStructure::SmbiosStructure(std::uint8_t type, std::uint16_t handle) {
  add(type).add(std::uint8_t{0}).add(handle);
}

SmbiosStructure& SmbiosStructure::add(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

SmbiosStructure& SmbiosStructure::add_text(std::string_view text) {
  if (text.empty()) return add(std::uint8_t{0});
  add_unnamed_text(text);
  return add(static_cast<std::uint8_t>(texts_.size()));
}

SmbiosStructure& SmbiosStructure::add_unnamed_text(std::string_view text) {
  CHECK(texts_.size() < 255);
  texts_.emplace_back(text);
  return *this;
}

std::vector<std::byte> SmbiosStructure::finish() && {
  CHECK(bytes_.size() <= 255);
  bytes_[1] = static_cast<std::byte>(bytes_.size());
  for (const std::string& text : texts_) {
    add(std::as_bytes(std::span(text)));
    add(std::uint8_t{0});
  }
  if (texts_.empty()) add(std::uint8_t{0});
  add(std::uint8_t{0});
  return std::move(bytes_);
}

}  // namespace virttdx
