// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/anonymous_mapping.h"

#include <sys/mman.h>

#include <cerrno>

namespace virttdx {

Result<AnonymousMapping> AnonymousMapping::create(std::size_t size) {
  void* const address =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return fail_errno(errno, "Cannot map {} bytes of guest memory", size);
  // A dump of the monitor must not hold its guest's memory. Kernels without the advice dump it.
  madvise(address, size, MADV_DONTDUMP);
  return AnonymousMapping({static_cast<std::byte*>(address), size});
}

AnonymousMapping::~AnonymousMapping() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

}  // namespace virttdx
