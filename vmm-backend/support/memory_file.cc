// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>

#include "support/file.h"

namespace virttdx {
namespace {

// A file that became shorter would end everybody who touches its pages.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// What the host has of huge pages: nothing when it cannot be read.
std::optional<std::uint64_t> huge_pages(std::size_t page_size, const char* what) {
  const auto text = read_text_file(
      fmt::format("/sys/kernel/mm/hugepages/hugepages-{}kB/{}_hugepages", page_size / 1024, what), 64);
  std::uint64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

std::string how_to_reserve(std::size_t page_size) {
  constexpr std::size_t kDefaultSize = 2U << 20;
  return page_size == kDefaultSize
             ? std::string("sysctl vm.nr_hugepages")
             : fmt::format("/sys/kernel/mm/hugepages/hugepages-{}kB/nr_hugepages", page_size / 1024);
}

Error too_few_huge_pages(std::size_t size, std::size_t page_size) {
  const std::uint64_t free = huge_pages(page_size, "free").value_or(0);
  const std::uint64_t reserved = huge_pages(page_size, "resv").value_or(0);
  return Error(
      Error::Code::NoSpace,
      fmt::format("Cannot reserve {} huge pages of {} KiB: {} are free; give the host more with {}, or use "
                  "ordinary pages",
                  size / page_size, page_size / 1024, free - std::min(free, reserved),
                  how_to_reserve(page_size)));
}

}  // namespace

Result<MemoryFile> MemoryFile::create(const char* name, std::size_t size) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno(errno, "Cannot create the memory file '{}'", name);
  return map(name, std::move(fd), size, MAP_NORESERVE);
}

Result<MemoryFile> MemoryFile::create_huge(const char* name, std::size_t size, std::size_t page_size) {
  CHECK(std::has_single_bit(page_size) && size % page_size == 0);
  constexpr unsigned kHugeShift = 26;  // MFD_HUGE_SHIFT of linux/memfd.h
  const auto shift = static_cast<unsigned>(std::countr_zero(page_size));
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | shift << kHugeShift));
  if (!fd && huge_pages(page_size, "nr"))
    return fail_errno(errno, "Cannot create the memory file '{}' of huge pages", name);
  if (!fd) return fail(Error::Code::Unsupported, "This host has no huge pages of {} KiB", page_size / 1024);
  auto file = map(name, std::move(fd), size, 0);
  if (!file && file.error().system_errno() == ENOMEM)
    return tl::unexpected(too_few_huge_pages(size, page_size));
  return file;
}

Result<MemoryFile> MemoryFile::map(const char* name, UniqueFd fd, std::size_t size, int map_flags) {
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || ::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0)
    return fail_errno(errno, "Cannot give the memory file '{}' {} bytes", name, size);
  void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | map_flags, fd.get(), 0);
  if (address == MAP_FAILED)
    return fail_errno(errno, "Cannot map {} bytes of the memory file '{}'", size, name);
  // A dump of this process must not hold a guest's memory. Kernels without the advice dump it.
  ::madvise(address, size, MADV_DONTDUMP);
  // A wish: only hosts whose shmem_enabled says "advise" heed it.
  ::madvise(address, size, MADV_HUGEPAGE);
  return MemoryFile(std::move(fd), {static_cast<std::byte*>(address), size});
}

MemoryFile::~MemoryFile() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

Result<> MemoryFile::discard(std::size_t offset, std::size_t size) {
  CHECK(offset <= bytes_.size() && size <= bytes_.size() - offset);
  if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(size)) != 0)
    return fail_errno(errno, "Cannot discard {} bytes of memory at offset {:#x}", size, offset);
  return {};
}

}  // namespace virttdx
