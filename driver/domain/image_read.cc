// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain/image_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

#include "support/unique_fd.h"

namespace virttdx::driver {

Result<std::vector<char>> read_image(const ImagePart& part) {
  const auto ends_before = [&](std::size_t there) {
    return fail(Error::Code::InvalidArgument, "'{}' starting from {} has only {} bytes available", part.path,
                part.offset, there);
  };
  if (part.offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max() - part.size))
    return ends_before(0);
  const UniqueFd image(open(part.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!image) return fail_errno(errno, "cannot open '{}'", part.path);
  std::vector<char> bytes(part.size);
  for (std::size_t got = 0; got < bytes.size();) {
    const auto at = static_cast<off_t>(part.offset + got);
    const ssize_t count = pread(image.get(), bytes.data() + got, bytes.size() - got, at);
    if (count < 0)
      return fail_errno(errno, "cannot read {} bytes of '{}' at {}", part.size, part.path, part.offset);
    if (count == 0) return ends_before(got);
    got += static_cast<std::size_t>(count);
  }
  return bytes;
}

void ImageReader::read(ImagePart part, Handler handler) {
  auto bytes = std::make_shared<Result<std::vector<char>>>();
  threads_.run([bytes, part = std::move(part)] { *bytes = read_image(part); },
               [bytes, handler = std::move(handler)] { handler(std::move(*bytes)); });
}

}  // namespace virttdx::driver
