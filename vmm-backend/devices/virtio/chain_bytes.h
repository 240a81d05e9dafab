// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes into and out of a request's buffers.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <vector>

namespace virttdx {

/// Moves the first bytes out of `buffers`, which get shorter, into `into`; how many. Reads them once.
std::size_t take_bytes(std::vector<iovec>& buffers, std::span<std::byte> into);
/// Drops the first `count` bytes, at most all, of `buffers`.
void drop_bytes(std::vector<iovec>& buffers, std::size_t count);
/// Takes the last byte out of `buffers`, which get shorter: its address, or nullptr.
std::byte* take_last_byte(std::vector<iovec>& buffers);
/// Copies `bytes` to the start of `buffers`; how many fitted.
std::size_t put_bytes(std::span<const iovec> buffers, std::span<const std::byte> bytes);

}  // namespace virttdx
