// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/image_size.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "support/unique_fd.h"

namespace virttdx::driver {
namespace {

// stat(2): st_blocks counts these.
constexpr std::uint64_t kBlockSize = 512;

// QEMU's docs/interop/qcow2.txt: magic "QFI\xfb", the size of the disk in bytes 24 to 31, big endian.
std::optional<std::uint64_t> qcow2_capacity(int fd) {
  std::array<unsigned char, 32> header{};
  if (pread(fd, header.data(), header.size(), 0) != static_cast<ssize_t>(header.size())) return std::nullopt;
  if (header[0] != 'Q' || header[1] != 'F' || header[2] != 'I' || header[3] != 0xFB) return std::nullopt;
  std::uint64_t size = 0;
  for (std::size_t i = 24; i < 32; ++i) size = size << 8 | header.at(i);
  return size;
}

// A file's absence is not a domain's: libvirt answers SYSTEM_ERROR.
tl::unexpected<Error> not_opened(const std::string& path) {
  const int error = errno;
  return tl::unexpected(
      Error(Error::Code::System, fmt::format("cannot open '{}': {}", path, std::strerror(error)), error));
}

}  // namespace

Result<ImageSize> image_size(const Image& asked) {
  const auto& [path, format] = asked;
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return not_opened(path);
  // For the writer of a pipe nobody waits; of a file a lease is waited for.
  const int waiting = S_ISREG(found.st_mode) ? 0 : O_NONBLOCK;
  const UniqueFd image(open(path.c_str(), O_RDONLY | O_CLOEXEC | waiting));
  if (!image || fstat(image.get(), &found) != 0) return not_opened(path);
  ImageSize size;
  if (S_ISBLK(found.st_mode)) {
    if (ioctl(image.get(), BLKGETSIZE64, &size.physical) != 0)
      return fail_errno(errno, "cannot tell the size of '{}'", path);
    size.allocation = size.physical;
  } else {
    size.physical = static_cast<std::uint64_t>(found.st_size);
    size.allocation = static_cast<std::uint64_t>(found.st_blocks) * kBlockSize;
  }
  size.capacity = format == "qcow2" ? qcow2_capacity(image.get()).value_or(size.physical) : size.physical;
  return size;
}

void ImageSizes::ask(const Image& image, Handler handler) {
  auto& waiting = waiting_[image];
  waiting.push_back(std::move(handler));
  if (waiting.size() > 1) return;
  auto size = std::make_shared<Result<ImageSize>>();
  threads_.run([size, image] { *size = image_size(image); },
               [this, size, image] {
                 const auto asked = waiting_.extract(image);
                 for (const auto& each : asked.mapped()) each(*size);
               });
}

}  // namespace virttdx::driver
