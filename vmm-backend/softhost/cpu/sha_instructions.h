// SPDX-License-Identifier: GPL-2.0-or-later
// The SHA extensions' operations (Intel SDM volume 2, SHA1* and SHA256*).
#pragma once

#include <array>
#include <cstdint>

namespace virttdx::softhost {

/// A 128-bit register as double words, lowest first.
using XmmWords = std::array<std::uint32_t, 4>;

/// Which of them stands behind 0F 38 xx.
enum class ShaOperation : std::uint8_t {
  Sha1Nexte = 0xc8,
  Sha1Msg1 = 0xc9,
  Sha1Msg2 = 0xca,
  Sha256Rnds2 = 0xcb,
  Sha256Msg1 = 0xcc,
  Sha256Msg2 = 0xcd,
};

/// The new value of the destination. `keys` is XMM0, which only SHA256RNDS2 reads.
XmmWords sha_operation(ShaOperation operation, const XmmWords& destination, const XmmWords& source,
                       const XmmWords& keys);

/// SHA1RNDS4; bits 1:0 of `function` choose the logic function and its constant.
XmmWords sha1_rounds(const XmmWords& destination, const XmmWords& source, std::uint8_t function);

}  // namespace virttdx::softhost
