// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace virttdx {
namespace {

// A file that became shorter would end everybody who touches its pages.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

Result<MemoryFile> MemoryFile::create(const char* name, std::size_t size) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno(errno, "Cannot create the memory file '{}'", name);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || ::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0)
    return fail_errno(errno, "Cannot give the memory file '{}' {} bytes", name, size);
  void* const address =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
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
