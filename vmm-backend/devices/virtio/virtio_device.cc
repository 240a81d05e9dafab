// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/virtio_device.h"

#include <algorithm>

namespace virttdx {

void read_structure(std::span<const std::byte> structure, std::size_t offset, std::span<std::byte> data) {
  std::fill(data.begin(), data.end(), std::byte{0});
  if (offset >= structure.size()) return;
  const auto part = structure.subspan(offset, std::min(data.size(), structure.size() - offset));
  std::copy(part.begin(), part.end(), data.begin());
}

}  // namespace virttdx
