// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "kvm/kernel_calls.h"

namespace virttdx {
namespace {

int answer_of(int result) { return result < 0 ? -errno : result; }

class LinuxKernelCalls final : public KernelCalls {
 public:
  int open(const char* path, int flags) override { return answer_of(::open(path, flags | O_CLOEXEC)); }
  int ioctl(int fd, unsigned long request, std::uintptr_t argument) override {
    return answer_of(::ioctl(fd, request, argument));
  }
  int mmap(int fd, std::size_t size, void** address) override {
    void* const mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) return -errno;
    *address = mapped;
    return 0;
  }
  int munmap(void* address, std::size_t size) override { return answer_of(::munmap(address, size)); }
  int close(int fd) override { return answer_of(::close(fd)); }
  int punch_hole(int fd, std::uint64_t offset, std::uint64_t size) override {
    return answer_of(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                                 static_cast<off_t>(size)));
  }
  int pread(int fd, void* to, std::size_t size, std::uint64_t offset) override {
    return answer_of(static_cast<int>(::pread(fd, to, size, static_cast<off_t>(offset))));
  }
  const char* description() const override { return "KVM of the Linux kernel"; }
};

}  // namespace

std::unique_ptr<KernelCalls> linux_kernel_calls() { return std::make_unique<LinuxKernelCalls>(); }

}  // namespace virttdx
