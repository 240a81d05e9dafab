// SPDX-License-Identifier: GPL-2.0-or-later
// How large the image of a disk is, of a domain that does not run.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "process/worker_threads.h"
#include "support/result.h"

namespace virttdx::driver {

/// In bytes, as virDomainBlockInfo has them.
struct ImageSize {
  std::uint64_t capacity = 0;    ///< what a guest sees
  std::uint64_t allocation = 0;  ///< what the image occupies
  std::uint64_t physical = 0;    ///< of its file or block device
};

/// A file or block device; `format` is libvirt's name of the image's format.
struct Image {
  std::string path, format;
  auto operator<=>(const Image&) const = default;
};

/// Waits for the image's file system, and for whoever has a lease on the file. System: it cannot be opened.
Result<ImageSize> image_size(const Image& image);

/// Asked off the event loop's thread: an image may be on a server that does not answer.
class ImageSizes {
 public:
  using Handler = std::function<void(const Result<ImageSize>&)>;
  /// Those who ask for one image at the same time get the same answer: it takes one thread, however many ask.
  void ask(const Image& image, Handler handler);

 private:
  std::map<Image, std::vector<Handler>> waiting_;
  WorkerThreads threads_{16, WorkAtEnd::Abandon};
};

}  // namespace virttdx::driver
