// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/log_tail.h"

#include <fstream>

namespace virttdx::driver {

std::string last_line(const std::filesystem::path& file) {
  constexpr std::streamoff kTail = 1024;
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return {};
  const std::streamoff size = stream.tellg();
  stream.seekg(std::max<std::streamoff>(size - kTail, 0));
  std::string line, last;
  while (std::getline(stream, line))
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  return last;
}

}  // namespace virttdx::driver
