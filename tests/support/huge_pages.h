// SPDX-License-Identifier: GPL-2.0-or-later
// Huge pages of the host, for tests that need some: nobody's setting is changed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>

namespace virttdx::test {

/// Of 2 MiB, reserved and not spoken for.
inline std::size_t free_huge_pages() {
  const auto number = [](const char* what) {
    std::size_t value = 0;
    std::ifstream(std::string("/sys/kernel/mm/hugepages/hugepages-2048kB/") + what + "_hugepages") >> value;
    return value;
  };
  const std::size_t free = number("free");
  return free - std::min(free, number("resv"));
}

}  // namespace virttdx::test
