// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/key_ids.h"

#include <charconv>

#include "support/file.h"
#include "vmm_backend/gpa.h"

namespace virttdx {
namespace {

std::optional<std::uint32_t> read_misc_file(const std::string& path) {
  const auto text = read_text_file(path, kPageSize);
  return text ? tdx_of_misc_file(*text) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> tdx_of_misc_file(std::string_view text) {
  constexpr std::string_view kKey = "tdx ";
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.starts_with(kKey)) continue;
    std::uint32_t value = 0;
    const char* const last = line.data() + line.size();
    const auto [stop, status] = std::from_chars(line.data() + kKey.size(), last, value);
    if (status == std::errc() && stop == last) return value;
  }
  return std::nullopt;
}

KeyIds read_key_ids(const std::string& directory) {
  return {read_misc_file(directory + "/misc.capacity"), read_misc_file(directory + "/misc.current")};
}

}  // namespace virttdx
