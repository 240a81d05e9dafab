// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

#include "kvm/kvm_spec.h"
#include "support/result.h"
#include "vmm_backend/cpuid.h"

namespace virttdx {

CpuidEntry from_kvm(const kvm::kvm_cpuid_entry2& entry);
kvm::kvm_cpuid_entry2 to_kvm(const CpuidEntry& entry);

/// A structure of the ABI that ends in a kvm_cpuid2 (or is one), followed by its entries.
template <typename Header>
class CpuidBuffer {
 public:
  /// Zeroed, with room for `capacity` entries, which nent says too.
  explicit CpuidBuffer(std::uint32_t capacity)
      : capacity_(capacity), storage_((sizeof(Header) + capacity * sizeof(kvm::kvm_cpuid_entry2) + 7) / 8) {
    new (storage_.data()) Header{};
    cpuid().nent = capacity;
  }
  explicit CpuidBuffer(const CpuidEntries& entries)
      : CpuidBuffer(static_cast<std::uint32_t>(entries.size())) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto entry = to_kvm(entries[i]);
      std::memcpy(entry_bytes(i), &entry, sizeof(entry));
    }
  }

  // SAFETY: the constructor made a Header at the storage's start; uint64_t's alignment is Header's.
  Header& header() { return *std::launder(reinterpret_cast<Header*>(storage_.data())); }
  std::uint32_t entry_count() { return cpuid().nent; }

  /// The first nent entries, of those there is room for.
  CpuidEntries entries() {
    CpuidEntries result(std::min(entry_count(), capacity_));
    for (std::size_t i = 0; i < result.size(); ++i) {
      kvm::kvm_cpuid_entry2 entry;
      std::memcpy(&entry, entry_bytes(i), sizeof(entry));
      result[i] = from_kvm(entry);
    }
    return result;
  }

 private:
  kvm::kvm_cpuid2& cpuid() {
    if constexpr (std::is_same_v<Header, kvm::kvm_cpuid2>)
      return header();
    else
      return header().cpuid;
  }
  std::byte* entry_bytes(std::size_t number) {
    return reinterpret_cast<std::byte*>(storage_.data()) + sizeof(Header) +
           number * sizeof(kvm::kvm_cpuid_entry2);
  }

  std::uint32_t capacity_;
  std::vector<std::uint64_t> storage_;
};

/// Calls `call(buffer)` with a growing buffer while it answers -E2BIG: to the count that it wrote into the
/// buffer, or else to twice the size, up to KVM's limit. `name` is the call, for messages.
template <typename Header, typename Call>
Result<CpuidBuffer<Header>> call_with_growing_buffer(const char* name, Call call) {
  constexpr std::uint32_t kFirstCapacity = 16;
  std::uint32_t capacity = kFirstCapacity;
  while (true) {
    CpuidBuffer<Header> buffer(capacity);
    const int answer = call(buffer);
    if (answer >= 0) return buffer;
    const std::uint32_t wanted = buffer.entry_count() > capacity ? buffer.entry_count() : 2 * capacity;
    if (answer != -E2BIG || capacity == kvm::KVM_MAX_CPUID_ENTRIES)
      return fail_errno(-answer, "{} with room for {} CPUID entries", name, capacity);
    capacity = std::min(wanted, kvm::KVM_MAX_CPUID_ENTRIES);
  }
}

}  // namespace virttdx
