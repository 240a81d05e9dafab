// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstring>
#include <vector>

#include "devices/scsi/scsi_medium.h"

namespace virttdx::test {

/// A medium in memory; byte n of it is n / 2048.
class MemoryMedium final : public ScsiMedium {
 public:
  explicit MemoryMedium(std::size_t size) : bytes(size) {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i / 2048);
  }
  std::uint64_t size() const override { return bytes.size(); }
  int read(std::uint64_t offset, std::span<const iovec> buffers) override {
    for (const iovec& buffer : buffers) {
      std::memcpy(buffer.iov_base, &bytes.at(offset), buffer.iov_len);
      offset += buffer.iov_len;
    }
    return error;
  }
  std::vector<std::byte> bytes;
  int error = 0;
};

}  // namespace virttdx::test
