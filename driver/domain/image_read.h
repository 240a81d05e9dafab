// SPDX-License-Identifier: GPL-2.0-or-later
// Some bytes of a disk's image, for a client that wants to know what is on it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "process/worker_threads.h"
#include "support/result.h"

namespace virttdx::driver {

struct ImagePart {
  std::string path;  ///< a file or block device
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
};

/// Waits for the image's file system, and for whoever has a lease on the file. System: it cannot be opened or
/// read. InvalidArgument: it ends before.
Result<std::vector<char>> read_image(const ImagePart& part);

/// Read off the event loop's thread: an image may be on a server that does not answer.
class ImageReader {
 public:
  using Handler = std::function<void(Result<std::vector<char>>)>;
  void read(ImagePart part, Handler handler);

 private:
  WorkerThreads threads_{4, WorkAtEnd::Abandon};
};

}  // namespace virttdx::driver
