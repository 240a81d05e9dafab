// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/kernel_file.h"

#include <fstream>

namespace virttdx::driver {

std::string read_kernel_file(const std::filesystem::path& path) {
  constexpr std::size_t kMaximum = 1 << 20;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return {};
  std::string text(kMaximum, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

}  // namespace virttdx::driver
