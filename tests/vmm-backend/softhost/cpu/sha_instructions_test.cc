// SPDX-License-Identifier: GPL-2.0-or-later
// The SHA operations put together as programs do, against libcrypto.
#include "softhost/cpu/sha_instructions.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace virttdx::softhost {

namespace {

using Block = std::array<std::uint8_t, 64>;

/// One padded block with a message of `size` bytes.
Block padded_block(std::size_t size) {
  Block block{};
  for (std::size_t i = 0; i < size; ++i) block[i] = static_cast<std::uint8_t>(i * 37 + 11);
  block[size] = 0x80;
  block[62] = static_cast<std::uint8_t>(size * 8 >> 8);
  block[63] = static_cast<std::uint8_t>(size * 8);
  return block;
}

std::uint32_t word_at(const Block& block, std::size_t index) {
  std::uint32_t word = 0;
  std::memcpy(&word, block.data() + index * 4, 4);
  return __builtin_bswap32(word);
}

constexpr std::array<std::uint32_t, 64> kSha256Keys = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

}  // namespace

TEST(ShaInstructions, MakeSha256) {
  for (const std::size_t size : {0U, 3U, 55U}) {
    const Block block = padded_block(size);
    std::array<XmmWords, 16> words;
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) words[i][j] = word_at(block, 4 * i + j);
    for (std::size_t i = 4; i < 16; ++i) {
      XmmWords next = sha_operation(ShaOperation::Sha256Msg1, words[i - 4], words[i - 3], {});
      for (std::size_t j = 0; j < 4; ++j) next[j] += j < 3 ? words[i - 2][j + 1] : words[i - 1][0];
      words[i] = sha_operation(ShaOperation::Sha256Msg2, next, words[i - 1], {});
    }
    // ABEF and CDGH, highest first.
    const XmmWords abef = {0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667};
    const XmmWords cdgh = {0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372};
    XmmWords first = abef, second = cdgh;
    for (std::size_t round = 0; round < 64; round += 2) {
      const XmmWords keys = {words[round / 4][round % 4] + kSha256Keys[round],
                             words[round / 4][round % 4 + 1] + kSha256Keys[round + 1], 0, 0};
      const XmmWords next = sha_operation(ShaOperation::Sha256Rnds2, second, first, keys);
      second = std::exchange(first, next);
    }
    const std::array<std::uint32_t, 8> got = {first[3] + abef[3],  first[2] + abef[2], second[3] + cdgh[3],
                                              second[2] + cdgh[2], first[1] + abef[1], first[0] + abef[0],
                                              second[1] + cdgh[1], second[0] + cdgh[0]};
    std::array<std::uint8_t, 32> expected;
    SHA256(block.data(), size, expected.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::uint32_t word = 0;
      std::memcpy(&word, expected.data() + i * 4, 4);
      EXPECT_EQ(got[i], __builtin_bswap32(word)) << "word " << i << " of a message of " << size;
    }
  }
}

TEST(ShaInstructions, MakeSha1) {
  for (const std::size_t size : {0U, 3U, 55U}) {
    const Block block = padded_block(size);
    // SHA-1's instructions take the words highest first.
    std::array<XmmWords, 20> words;
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) words[i][3 - j] = word_at(block, 4 * i + j);
    for (std::size_t i = 4; i < 20; ++i) {
      XmmWords next = sha_operation(ShaOperation::Sha1Msg1, words[i - 4], words[i - 3], {});
      for (std::size_t j = 0; j < 4; ++j) next[j] ^= words[i - 2][j];
      words[i] = sha_operation(ShaOperation::Sha1Msg2, next, words[i - 1], {});
    }
    const XmmWords start = {0x10325476, 0x98badcfe, 0xefcdab89, 0x67452301};
    const std::uint32_t start_e = 0xc3d2e1f0;
    XmmWords state = start, before{};
    for (std::size_t i = 0; i < 20; ++i) {
      XmmWords with_e = words[i];
      if (i == 0)
        with_e[3] += start_e;
      else
        with_e = sha_operation(ShaOperation::Sha1Nexte, before, words[i], {});
      before = state;
      state = sha1_rounds(state, with_e, static_cast<std::uint8_t>(i / 5));
    }
    const std::uint32_t end_e = std::rotl(before[3], 30) + start_e;
    const std::array<std::uint32_t, 5> got = {state[3] + start[3], state[2] + start[2], state[1] + start[1],
                                              state[0] + start[0], end_e};
    std::array<std::uint8_t, 20> expected;
    SHA1(block.data(), size, expected.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::uint32_t word = 0;
      std::memcpy(&word, expected.data() + i * 4, 4);
      EXPECT_EQ(got[i], __builtin_bswap32(word)) << "word " << i << " of a message of " << size;
    }
  }
}

}  // namespace virttdx::softhost
