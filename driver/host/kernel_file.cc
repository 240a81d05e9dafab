// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "support/unique_fd.h"

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

Result<> write_kernel_file(const std::filesystem::path& path, std::string_view text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open '{}'", path.native());
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail_errno(errno, "write '{}' to '{}'", text, path.native());
  return {};
}

}  // namespace virttdx::driver
