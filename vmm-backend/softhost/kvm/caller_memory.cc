// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/caller_memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace virttdx::softhost {
namespace {

// The kernel checks every page of a copy between two "processes" that are both this one; a bad address then
// is an error instead of a signal. A sandbox may forbid the call: then the address is trusted.
bool moved_all(ssize_t moved, std::size_t size) {
  return moved >= 0 && static_cast<std::size_t>(moved) == size;
}

bool call_forbidden(ssize_t moved) { return moved < 0 && (errno == EPERM || errno == ENOSYS); }

}  // namespace

int copy_from_caller(void* to, std::uintptr_t address, std::size_t size) {
  if (size == 0) return 0;
  // SAFETY: an address out of an ioctl's argument; process_vm_readv checks it.
  auto* const remote_address = reinterpret_cast<void*>(address);
  const iovec local{to, size};
  const iovec remote{remote_address, size};
  const ssize_t moved = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  if (call_forbidden(moved) && address != 0) {
    std::memcpy(to, remote_address, size);
    return 0;
  }
  return moved_all(moved, size) ? 0 : -EFAULT;
}

int copy_to_caller(std::uintptr_t address, const void* from, std::size_t size) {
  if (size == 0) return 0;
  // SAFETY: an address out of an ioctl's argument; process_vm_writev checks it, and only reads `from`.
  auto* const remote_address = reinterpret_cast<void*>(address);
  const iovec local{const_cast<void*>(from), size};
  const iovec remote{remote_address, size};
  const ssize_t moved = process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
  if (call_forbidden(moved) && address != 0) {
    std::memcpy(remote_address, from, size);
    return 0;
  }
  return moved_all(moved, size) ? 0 : -EFAULT;
}

}  // namespace virttdx::softhost
