// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/sha_instructions.h"

#include <bit>

namespace virttdx::softhost {

namespace {

using Word = std::uint32_t;

Word choose(Word x, Word y, Word z) { return (x & y) ^ (~x & z); }
Word majority(Word x, Word y, Word z) { return (x & y) ^ (x & z) ^ (y & z); }
Word parity(Word x, Word y, Word z) { return x ^ y ^ z; }

// FIPS 180-4, 4.1.2.
Word big_sigma0(Word x) { return std::rotr(x, 2) ^ std::rotr(x, 13) ^ std::rotr(x, 22); }
Word big_sigma1(Word x) { return std::rotr(x, 6) ^ std::rotr(x, 11) ^ std::rotr(x, 25); }
Word small_sigma0(Word x) { return std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3); }
Word small_sigma1(Word x) { return std::rotr(x, 17) ^ std::rotr(x, 19) ^ (x >> 10); }

XmmWords sha1_next_e(const XmmWords& destination, XmmWords source) {
  source[3] += std::rotl(destination[3], 30);
  return source;
}

XmmWords sha1_message1(const XmmWords& destination, const XmmWords& source) {
  return {source[2] ^ destination[0], source[3] ^ destination[1], destination[0] ^ destination[2],
          destination[1] ^ destination[3]};
}

XmmWords sha1_message2(const XmmWords& destination, const XmmWords& source) {
  XmmWords result;
  result[3] = std::rotl(destination[3] ^ source[2], 1);
  result[2] = std::rotl(destination[2] ^ source[1], 1);
  result[1] = std::rotl(destination[1] ^ source[0], 1);
  result[0] = std::rotl(destination[0] ^ result[3], 1);
  return result;
}

XmmWords sha256_rounds(const XmmWords& destination, const XmmWords& source, const XmmWords& keys) {
  Word a = source[3], b = source[2], c = destination[3], d = destination[2];
  Word e = source[1], f = source[0], g = destination[1], h = destination[0];
  for (int round = 0; round < 2; ++round) {
    const Word first = choose(e, f, g) + big_sigma1(e) + keys[static_cast<std::size_t>(round)] + h;
    const Word second = majority(a, b, c) + big_sigma0(a);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  return {f, e, b, a};
}

XmmWords sha256_message1(const XmmWords& destination, const XmmWords& source) {
  return {destination[0] + small_sigma0(destination[1]), destination[1] + small_sigma0(destination[2]),
          destination[2] + small_sigma0(destination[3]), destination[3] + small_sigma0(source[0])};
}

XmmWords sha256_message2(const XmmWords& destination, const XmmWords& source) {
  XmmWords result;
  result[0] = destination[0] + small_sigma1(source[2]);
  result[1] = destination[1] + small_sigma1(source[3]);
  result[2] = destination[2] + small_sigma1(result[0]);
  result[3] = destination[3] + small_sigma1(result[1]);
  return result;
}

}  // namespace

XmmWords sha_operation(ShaOperation operation, const XmmWords& destination, const XmmWords& source,
                       const XmmWords& keys) {
  switch (operation) {
    case ShaOperation::Sha1Nexte:
      return sha1_next_e(destination, source);
    case ShaOperation::Sha1Msg1:
      return sha1_message1(destination, source);
    case ShaOperation::Sha1Msg2:
      return sha1_message2(destination, source);
    case ShaOperation::Sha256Rnds2:
      return sha256_rounds(destination, source, keys);
    case ShaOperation::Sha256Msg1:
      return sha256_message1(destination, source);
    case ShaOperation::Sha256Msg2:
      return sha256_message2(destination, source);
  }
  return destination;
}

XmmWords sha1_rounds(const XmmWords& destination, const XmmWords& source, std::uint8_t function) {
  // FIPS 180-4, 4.1.1 and 4.2.1.
  constexpr std::array<Word, 4> kConstants = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  using Function = Word (*)(Word, Word, Word);
  constexpr std::array<Function, 4> kFunctions = {choose, parity, majority, parity};
  const std::size_t chosen = function & 3U;
  Word a = destination[3], b = destination[2], c = destination[1], d = destination[0];
  Word e = 0;  // the source's highest word carries E for the first round
  for (std::size_t round = 0; round < 4; ++round) {
    const Word next =
        kFunctions[chosen](b, c, d) + std::rotl(a, 5) + source[3 - round] + e + kConstants[chosen];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  return {d, c, b, a};
}

}  // namespace virttdx::softhost
