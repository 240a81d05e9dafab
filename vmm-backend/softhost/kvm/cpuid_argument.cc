// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/cpuid_argument.h"

#include <cerrno>

#include "softhost/kvm/caller_memory.h"

namespace virttdx::softhost {

int read_cpuid_entries(std::uintptr_t address, std::uint32_t count,
                       std::vector<kvm::kvm_cpuid_entry2>& entries) {
  if (count > kvm::KVM_MAX_CPUID_ENTRIES) return -E2BIG;
  entries.resize(count);
  return copy_from_caller(entries.data(), address, count * sizeof(kvm::kvm_cpuid_entry2));
}

int write_cpuid_entries(std::uintptr_t address, std::span<const kvm::kvm_cpuid_entry2> entries,
                        bool tell_count) {
  kvm::kvm_cpuid2 header{};
  if (const int status = read_argument(address, header); status != 0) return status;
  const bool fits = entries.size() <= header.nent;
  header.nent = static_cast<std::uint32_t>(entries.size());
  if (fits)
    if (const int status = copy_to_caller(address + sizeof(header), entries.data(), entries.size_bytes());
        status != 0)
      return status;
  if (fits || tell_count)
    if (const int status = write_argument(address, header.nent); status != 0) return status;
  return fits ? 0 : -E2BIG;
}

}  // namespace virttdx::softhost
