// SPDX-License-Identifier: GPL-2.0-or-later
// How large the image of a disk is, of a domain that does not run.
#pragma once

#include <cstdint>
#include <string>

#include "support/result.h"

namespace virttdx::driver {

/// In bytes, as virDomainBlockInfo has them.
struct ImageSize {
  std::uint64_t capacity = 0;    ///< what a guest sees
  std::uint64_t allocation = 0;  ///< what the image occupies
  std::uint64_t physical = 0;    ///< of its file or block device
};

/// Of a file or block device; `format` is libvirt's name of the image's format. System: it cannot be opened.
Result<ImageSize> image_size(const std::string& path, const std::string& format);

}  // namespace virttdx::driver
