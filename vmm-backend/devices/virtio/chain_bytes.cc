// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio/chain_bytes.h"

#include <algorithm>
#include <cstring>

namespace virttdx {

std::size_t take_bytes(std::vector<iovec>& buffers, std::span<std::byte> into) {
  std::size_t taken = 0;
  auto buffer = buffers.begin();
  while (buffer != buffers.end() && taken < into.size()) {
    const std::size_t count = std::min(buffer->iov_len, into.size() - taken);
    std::memcpy(into.data() + taken, buffer->iov_base, count);
    taken += count;
    buffer->iov_base = static_cast<std::byte*>(buffer->iov_base) + count;
    buffer->iov_len -= count;
    if (buffer->iov_len == 0) ++buffer;
  }
  buffers.erase(buffers.begin(), buffer);
  return taken;
}

void drop_bytes(std::vector<iovec>& buffers, std::size_t count) {
  auto buffer = buffers.begin();
  while (buffer != buffers.end() && count >= buffer->iov_len) count -= (buffer++)->iov_len;
  if (buffer != buffers.end()) {
    buffer->iov_base = static_cast<std::byte*>(buffer->iov_base) + count;
    buffer->iov_len -= count;
  }
  buffers.erase(buffers.begin(), buffer);
}

std::byte* take_last_byte(std::vector<iovec>& buffers) {
  if (buffers.empty()) return nullptr;
  iovec& last = buffers.back();
  std::byte* const byte = static_cast<std::byte*>(last.iov_base) + --last.iov_len;
  if (last.iov_len == 0) buffers.pop_back();
  return byte;
}

std::size_t put_bytes(std::span<const iovec> buffers, std::span<const std::byte> bytes) {
  std::size_t put = 0;
  for (const iovec& buffer : buffers) {
    const std::size_t count = std::min(buffer.iov_len, bytes.size() - put);
    std::ranges::copy(bytes.subspan(put, count), static_cast<std::byte*>(buffer.iov_base));
    put += count;
    if (put == bytes.size()) break;
  }
  return put;
}

}  // namespace virttdx
