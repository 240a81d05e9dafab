// SPDX-License-Identifier: GPL-2.0-or-later
// Binary statistics of KVM: layout of the file behind KVM_GET_STATS_FD.
// Spec: Linux Documentation/virt/kvm/api.rst, 4.133.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::kvm {

inline constexpr std::uint32_t KVM_STATS_TYPE_MASK = 0xF;
inline constexpr std::uint32_t KVM_STATS_TYPE_CUMULATIVE = 0;
inline constexpr std::uint32_t KVM_STATS_TYPE_INSTANT = 1;
inline constexpr std::uint32_t KVM_STATS_TYPE_PEAK = 2;
inline constexpr std::uint32_t KVM_STATS_TYPE_LINEAR_HIST = 3;
inline constexpr std::uint32_t KVM_STATS_TYPE_LOG_HIST = 4;
inline constexpr std::uint32_t KVM_STATS_UNIT_MASK = 0xF0;
inline constexpr std::uint32_t KVM_STATS_UNIT_NONE = 0x00;
inline constexpr std::uint32_t KVM_STATS_UNIT_SECONDS = 0x20;
inline constexpr std::uint32_t KVM_STATS_UNIT_BOOLEAN = 0x40;

/// At the file's start. Offsets are from there.
struct kvm_stats_header {
  std::uint32_t flags;
  std::uint32_t name_size;  ///< bytes of every name, with at least one 0 at its end
  std::uint32_t num_desc;
  std::uint32_t id_offset;
  std::uint32_t desc_offset;
  std::uint32_t data_offset;
};

/// `name_size` bytes follow: the name.
struct kvm_stats_desc {
  std::uint32_t flags;
  std::int16_t exponent;
  std::uint16_t size;    ///< values of 64 bits; more than one in a histogram
  std::uint32_t offset;  ///< from data_offset
  std::uint32_t bucket_size;
};

static_assert(sizeof(kvm_stats_header) == 24);
static_assert(sizeof(kvm_stats_desc) == 16);
static_assert(offsetof(kvm_stats_desc, exponent) == 4 && offsetof(kvm_stats_desc, size) == 6 &&
              offsetof(kvm_stats_desc, offset) == 8 && offsetof(kvm_stats_desc, bucket_size) == 12);

}  // namespace virttdx::kvm
