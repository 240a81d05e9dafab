// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/cpu/extended_state.h"

#include <algorithm>
#include <cstring>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

namespace {

using state_component::bit;
using state_component::kCetSupervisor;
using state_component::kCetUser;
using state_component::kSse;
using state_component::kX87;

/// SDM volume 1, table 10-2 (the FXSAVE layout).
constexpr std::size_t kFcwAt = 0, kFswAt = 2, kFtwAt = 4, kFopAt = 6, kFipAt = 8, kFdpAt = 16, kMxcsrAt = 24,
                      kMxcsrMaskAt = 28, kStAt = 32, kXmmAt = 160, kSlot = 16;
/// Components from here on lie behind the header.
constexpr unsigned kFirstExtended = 2, kComponentEnd = 63;

template <typename T>
void put(LegacyImage image, std::size_t at, const T& value) {
  std::memcpy(image.data() + at, &value, sizeof(value));
}
template <typename T>
T get(std::span<const std::byte, kLegacyImageSize> image, std::size_t at) {
  T value;
  std::memcpy(&value, image.data() + at, sizeof(value));
  return value;
}

template <typename T>
bool all_zero(const T& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const auto& value) { return value == std::decay_t<decltype(value)>{}; });
}

bool x87_is_initial(const ExtendedState& state) {
  return state.fcw == 0x37f && state.fsw == 0 && state.ftw == 0 && state.fop == 0 && state.fip == 0 &&
         state.fdp == 0 && all_zero(state.st);
}

void store_x87(const ExtendedState& state, ImageForm form, LegacyImage image) {
  put(image, kFcwAt, state.fcw);
  put(image, kFswAt, state.fsw);
  put(image, kFtwAt, std::uint16_t{state.ftw});
  put(image, kFopAt, state.fop);
  // Without REX.W the selectors follow the 32-bit offsets; this processor deprecates them: they are 0.
  put(image, kFipAt, form.wide_pointers ? state.fip : state.fip & 0xffffffff);
  put(image, kFdpAt, form.wide_pointers ? state.fdp : state.fdp & 0xffffffff);
  for (std::size_t i = 0; i < state.st.size(); ++i) {
    std::array<std::byte, kSlot> slot{};
    std::copy(state.st[i].begin(), state.st[i].end(), slot.begin());
    put(image, kStAt + i * kSlot, slot);
  }
}

void load_x87(std::span<const std::byte, kLegacyImageSize> image, ImageForm form, ExtendedState& state) {
  state.fcw = get<std::uint16_t>(image, kFcwAt);
  state.fsw = get<std::uint16_t>(image, kFswAt);
  state.ftw = get<std::uint8_t>(image, kFtwAt);
  state.fop = get<std::uint16_t>(image, kFopAt) & 0x7ff;
  const std::uint64_t pointer_mask = form.wide_pointers ? ~0ULL : 0xffffffffULL;
  state.fip = get<std::uint64_t>(image, kFipAt) & pointer_mask;
  state.fdp = get<std::uint64_t>(image, kFdpAt) & pointer_mask;
  for (std::size_t i = 0; i < state.st.size(); ++i)
    std::memcpy(state.st[i].data(), image.data() + kStAt + i * kSlot, state.st[i].size());
}

}  // namespace

std::uint64_t ExtendedState::in_use() const {
  std::uint64_t result = 0;
  if (!x87_is_initial(*this)) result |= bit(kX87);
  if (mxcsr != kInitialMxcsr || !all_zero(xmm)) result |= bit(kSse);
  if (!all_zero(cet_user)) result |= bit(kCetUser);
  if (!all_zero(cet_supervisor)) result |= bit(kCetSupervisor);
  return result;
}

void ExtendedState::initialize(std::uint64_t mask) {
  const ExtendedState initial;
  if (mask & bit(kX87)) {
    fcw = initial.fcw;
    fsw = fop = 0;
    ftw = 0;
    fip = fdp = 0;
    st = initial.st;
  }
  if (mask & bit(kSse)) xmm = initial.xmm;
  if (mask & bit(kCetUser)) cet_user = {};
  if (mask & bit(kCetSupervisor)) cet_supervisor = {};
}

void store_legacy(const ExtendedState& state, std::uint64_t mask, ImageForm form, LegacyImage image) {
  if (mask & bit(kX87)) store_x87(state, form, image);
  if (mask & bit(kSse))
    for (std::size_t i = 0; i < form.xmm_count; ++i) put(image, kXmmAt + i * kSlot, state.xmm[i]);
}

void store_mxcsr(const ExtendedState& state, LegacyImage image) {
  put(image, kMxcsrAt, state.mxcsr);
  put(image, kMxcsrMaskAt, kMxcsrMask);
}

void load_legacy(std::span<const std::byte, kLegacyImageSize> image, std::uint64_t mask, ImageForm form,
                 ExtendedState& state) {
  if (mask & bit(kX87)) load_x87(image, form, state);
  if (mask & bit(kSse))
    for (std::size_t i = 0; i < form.xmm_count; ++i) state.xmm[i] = get<XmmWords>(image, kXmmAt + i * kSlot);
}

std::uint32_t mxcsr_of(std::span<const std::byte, kLegacyImageSize> image) {
  return get<std::uint32_t>(image, kMxcsrAt);
}

std::size_t compacted_offset(unsigned component, std::uint64_t xcomp_bv) {
  constexpr std::uint32_t kXsaveLeaf = 0xd, kAlignedInEcx = 2;
  std::size_t offset = kLegacyImageSize + kXsaveHeaderSize;
  for (unsigned i = kFirstExtended; i < kComponentEnd; ++i) {
    if (!(xcomp_bv & bit(i)) && i != component) continue;
    const CpuidValue described = native_cpuid(kXsaveLeaf, i);
    if (described.ecx & kAlignedInEcx) offset = (offset + 63) & ~std::size_t{63};
    if (i == component) break;
    offset += described.eax;
  }
  return offset;
}

std::size_t compacted_size(std::uint64_t xcomp_bv) { return compacted_offset(kComponentEnd, xcomp_bv); }

}  // namespace virttdx::softhost
