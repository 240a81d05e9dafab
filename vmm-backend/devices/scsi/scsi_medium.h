// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

namespace virttdx {

/// What lies in a CD-ROM drive. One thread at a time.
class ScsiMedium {
 public:
  virtual ~ScsiMedium() = default;
  /// Bytes.
  virtual std::uint64_t size() const = 0;
  /// Fills `buffers` with the bytes from `offset`, all inside the medium; waits for them, some seconds at
  /// most. 0 or an errno value; ETIMEDOUT: the bytes may be there later.
  virtual int read(std::uint64_t offset, std::span<const iovec> buffers) = 0;
};

}  // namespace virttdx
