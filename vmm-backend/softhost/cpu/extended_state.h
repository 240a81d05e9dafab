// SPDX-License-Identifier: GPL-2.0-or-later
// The state that XSAVE and its relatives manage, and its images in memory (Intel SDM volume 1, chapter 13).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "softhost/cpu/sha_instructions.h"

namespace virttdx::softhost {

/// State components by their bit in XCR0, XSS and XSTATE_BV.
namespace state_component {
inline constexpr unsigned kX87 = 0, kSse = 1, kAvx = 2, kCetUser = 11, kCetSupervisor = 12;
inline constexpr std::uint64_t bit(unsigned component) { return 1ULL << component; }
}  // namespace state_component

inline constexpr std::uint32_t kInitialMxcsr = 0x1f80, kMxcsrMask = 0xffff;

struct ExtendedState {
  std::uint16_t fcw = 0x37f, fsw = 0, fop = 0;
  std::uint8_t ftw = 0;  ///< abridged: bit i is set when physical register i is not empty
  std::uint64_t fip = 0, fdp = 0;
  std::array<std::array<std::byte, 10>, 8> st{};  ///< ST0 first
  std::uint32_t mxcsr = kInitialMxcsr;
  std::array<XmmWords, 16> xmm{};
  std::array<std::uint64_t, 2> cet_user{};        ///< IA32_U_CET, IA32_PL3_SSP
  std::array<std::uint64_t, 3> cet_supervisor{};  ///< IA32_PL0_SSP .. IA32_PL2_SSP

  /// Components that are not in their initial configuration (XINUSE). SSE's includes MXCSR.
  std::uint64_t in_use() const;
  /// Puts the components of `mask` in their initial configuration; MXCSR is left alone.
  void initialize(std::uint64_t mask);
};

/// What XSAVE's operand size and mode decide about the image.
struct ImageForm {
  bool wide_pointers = true;  ///< REX.W: 64-bit FIP and FDP
  unsigned xmm_count = 16;    ///< 8 outside of 64-bit mode
};

inline constexpr std::size_t kLegacyImageSize = 512, kXsaveHeaderSize = 64;
inline constexpr std::uint64_t kCompacted = 1ULL << 63;  ///< in XCOMP_BV

/// Bytes 0..511 of an XSAVE area. The functions touch only what belongs to the components of `mask`.
using LegacyImage = std::span<std::byte, kLegacyImageSize>;
void store_legacy(const ExtendedState& state, std::uint64_t mask, ImageForm form, LegacyImage image);
void store_mxcsr(const ExtendedState& state, LegacyImage image);
void load_legacy(std::span<const std::byte, kLegacyImageSize> image, std::uint64_t mask, ImageForm form,
                 ExtendedState& state);
std::uint32_t mxcsr_of(std::span<const std::byte, kLegacyImageSize> image);

/// Where a component above SSE lies in a compacted area with the components of `xcomp_bv`.
std::size_t compacted_offset(unsigned component, std::uint64_t xcomp_bv);
/// Size of a compacted area with the components of `xcomp_bv`.
std::size_t compacted_size(std::uint64_t xcomp_bv);

}  // namespace virttdx::softhost
