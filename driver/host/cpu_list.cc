// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/cpu_list.h"

#include <charconv>

namespace virttdx::driver {

std::vector<std::uint32_t> parse_cpu_list(std::string_view text) {
  constexpr std::size_t kMaximum = 65536;
  std::vector<std::uint32_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint32_t first = 0;
    const auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) break;
    std::uint32_t last = first;
    at = parsed.ptr;
    if (at != end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    for (std::uint64_t number = first; number <= last && numbers.size() < kMaximum; ++number)
      numbers.push_back(static_cast<std::uint32_t>(number));
    if (at == end || *at != ',') break;
    ++at;
  }
  return numbers;
}

}  // namespace virttdx::driver
