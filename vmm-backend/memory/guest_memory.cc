// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/guest_memory.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace virttdx {
namespace {

std::optional<GpaRange> intersection(const GpaRange& a, const GpaRange& b) {
  const Gpa base = std::max(a.base(), b.base());
  const Gpa end = std::min(a.end(), b.end());
  if (end <= base) return std::nullopt;
  return GpaRange::create(base, end.value - base.value);
}

std::uint64_t offset_in(const GpaRange& region, Gpa gpa) { return gpa.value - region.base().value; }

Result<MemoryFile> shared_side(const GpaRange& range, std::uint64_t page_bytes) {
  constexpr const char* kName = "guest-shared";
  if (page_bytes == 0) return MemoryFile::create(kName, range.size());
  auto file = MemoryFile::create_huge(kName, range.size(), page_bytes);
  if (file) return file;
  return tl::unexpected(std::move(file).error().with_context(
      fmt::format("Shared side of memory {:#x}+{:#x}", range.base().value, range.size())));
}

}  // namespace

Result<std::unique_ptr<GuestMemory>> GuestMemory::create(KvmVm& vm, std::span<const GpaRange> regions,
                                                         SharedHugePages huge_pages) {
  std::unique_ptr<GuestMemory> memory(new GuestMemory(vm));
  for (const GpaRange& range : regions) {
    const bool huge = memory->regions_.size() < huge_pages.regions;
    TRY(memory->add_region(range, TRY(shared_side(range, huge ? huge_pages.page_bytes : 0))));
  }
  return memory;
}

Result<> GuestMemory::add_region(const GpaRange& range, MemoryFile shared) {
  auto private_memory = TRY(vm_.create_guest_memfd(range.size()));
  kvm::kvm_userspace_memory_region2 slot{};
  slot.slot = static_cast<std::uint32_t>(regions_.size());
  slot.flags = kvm::KVM_MEM_GUEST_MEMFD;
  slot.guest_phys_addr = range.base().value;
  slot.memory_size = range.size();
  // SAFETY: the mapping lives as long as the slot's VM may use it: TdVm and LaunchedTd end vCPUs first.
  slot.userspace_addr = reinterpret_cast<std::uint64_t>(shared.bytes().data());
  slot.guest_memfd = static_cast<std::uint32_t>(private_memory.get());
  TRY(vm_.set_memory_region(slot));
  TRY(vm_.set_private(range, true));
  regions_.push_back({range, std::move(shared), std::move(private_memory),
                      std::vector<bool>(range.size() / kPageSize, true)});
  return {};
}

bool GuestMemory::contains(const GpaRange& range) const {
  return std::ranges::any_of(regions_, [&](const Region& region) { return region.range.contains(range); });
}

bool GuestMemory::is_backed(const GpaRange& range) const {
  std::uint64_t backed = 0;
  for (const Region& region : regions_)
    if (const auto part = intersection(region.range, range)) backed += part->size();
  return backed == range.size();
}

Result<> GuestMemory::convert(const GpaRange& range, bool to_private) {
  if (range.size() == 0 || !range.is_page_aligned())
    return fail(Error::Code::InvalidArgument, "convert memory {:#x}+{:#x}: not a range of whole pages",
                range.base().value, range.size());
  if (to_private && !is_backed(range))
    return fail(Error::Code::InvalidArgument, "convert memory {:#x}+{:#x} to private: there is no memory",
                range.base().value, range.size());
  const std::lock_guard lock(mutex_);
  for (Region& region : regions_)
    if (const auto part = intersection(region.range, range)) TRY(convert_part(region, *part, to_private));
  return {};
}

Result<> GuestMemory::convert_part(Region& region, const GpaRange& part, bool to_private) {
  TRY(vm_.set_private(part, to_private));
  const std::uint64_t offset = offset_in(region.range, part.base());
  const auto first = region.is_private.begin() + static_cast<std::ptrdiff_t>(offset / kPageSize);
  std::fill_n(first, part.size() / kPageSize, to_private);
  if (to_private) return region.shared.discard(offset, part.size());
  const int answer = vm_.kernel().punch_hole(region.private_memory.get(), offset, part.size());
  TRY(checked(answer, "Cannot discard private memory {:#x}+{:#x}", part.base().value, part.size()));
  return {};
}

std::byte* GuestMemory::find_shared(Gpa gpa, std::size_t size) {
  const auto range = GpaRange::create(gpa, size);
  if (!range) return nullptr;
  for (Region& region : regions_) {
    if (!region.range.contains(*range)) continue;
    const std::uint64_t offset = offset_in(region.range, gpa);
    for (std::uint64_t page = offset / kPageSize; page <= (offset + size - 1) / kPageSize; ++page)
      if (region.is_private[page]) return nullptr;
    return region.shared.bytes().subspan(offset, size).data();
  }
  return nullptr;
}

bool GuestMemory::read(Gpa gpa, std::span<std::byte> into) {
  if (into.empty()) return true;
  const std::lock_guard lock(mutex_);
  const std::byte* const bytes = find_shared(gpa, into.size());
  if (bytes == nullptr) return false;
  std::memcpy(into.data(), bytes, into.size());
  return true;
}

std::span<std::byte> GuestMemory::map(Gpa gpa, std::size_t size) {
  if (size == 0) return {};
  const std::lock_guard lock(mutex_);
  std::byte* const bytes = find_shared(gpa, size);
  return bytes == nullptr ? std::span<std::byte>() : std::span(bytes, size);
}

std::vector<DmaFile> GuestMemory::files() {
  std::vector<DmaFile> files;
  for (const Region& region : regions_)
    files.push_back({region.shared.bytes(), region.shared.fd(), 0, region.range.base()});
  return files;
}

bool GuestMemory::write(Gpa gpa, std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  const std::lock_guard lock(mutex_);
  std::byte* const into = find_shared(gpa, bytes.size());
  if (into == nullptr) return false;
  std::memcpy(into, bytes.data(), bytes.size());
  return true;
}

}  // namespace virttdx
