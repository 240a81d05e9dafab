// SPDX-License-Identifier: GPL-2.0-or-later
// The seam: every kernel call with which the monitor reaches KVM. Two implementations: the Linux kernel
// (linux_kernel_calls) and the software TDX host (softhost/). Everything above is the same code for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace virttdx {

/// All functions answer as system calls do inside the kernel: a value of at least 0, or -errno.
/// Thread-safe, as the system calls are. Descriptors are the implementation's: only its close() may close
/// them. A vCPU's descriptor is used by one thread at a time; memory passed in `argument` is read and written
/// as the ioctl's structure says.
class KernelCalls {
 public:
  virtual ~KernelCalls() = default;
  /// `path` is "/dev/kvm".
  virtual int open(const char* path, int flags) = 0;
  /// `argument` is a pointer or a number, as the ioctl takes it.
  virtual int ioctl(int fd, unsigned long request, std::uintptr_t argument) = 0;
  /// Maps a vCPU's struct kvm_run. On success *address is set and 0 returned.
  virtual int mmap(int fd, std::size_t size, void** address) = 0;
  virtual int munmap(void* address, std::size_t size) = 0;
  virtual int close(int fd) = 0;
  /// fallocate(2) with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE on a guest_memfd.
  virtual int punch_hole(int fd, std::uint64_t offset, std::uint64_t size) = 0;
  /// pread(2), of a statistics descriptor (KVM_GET_STATS_FD). `size` is at most INT_MAX.
  virtual int pread(int fd, void* to, std::size_t size, std::uint64_t offset) = 0;
  /// For the log and the domain's messages: which host this is.
  virtual const char* description() const = 0;
};

/// The Linux kernel of this machine.
std::unique_ptr<KernelCalls> linux_kernel_calls();

}  // namespace virttdx
