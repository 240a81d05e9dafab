// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "kvm/kernel_calls.h"
#include "support/result.h"

namespace virttdx {

/// Owns one descriptor of a KernelCalls and closes it there. Move-only. The KernelCalls must outlive it.
class KernelFd {
 public:
  KernelFd() = default;
  KernelFd(KernelCalls& kernel, int fd) : kernel_(&kernel), fd_(fd) {}
  KernelFd(KernelFd&& other) noexcept : kernel_(other.kernel_), fd_(std::exchange(other.fd_, -1)) {}
  KernelFd& operator=(KernelFd&& other) noexcept {
    std::swap(kernel_, other.kernel_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  KernelFd(const KernelFd&) = delete;
  KernelFd& operator=(const KernelFd&) = delete;
  ~KernelFd() {
    if (fd_ >= 0) kernel_->close(fd_);
  }

  int get() const { return fd_; }
  KernelCalls& kernel() const { return *kernel_; }

  /// Answers as the system call does: at least 0, or -errno.
  int ioctl(unsigned long request, std::uintptr_t argument = 0) const {
    return kernel_->ioctl(fd_, request, argument);
  }
  template <typename T>
  int ioctl(unsigned long request, T* argument) const {
    // SAFETY: the request's structure is T, by the caller; the pointer is used during the call only.
    return kernel_->ioctl(fd_, request, reinterpret_cast<std::uintptr_t>(argument));
  }

 private:
  KernelCalls* kernel_ = nullptr;
  int fd_ = -1;
};

/// The answer of a system call as a Result. The format names the call, the object and the value.
template <typename... Args>
Result<int> checked(int answer, fmt::format_string<Args...> call, Args&&... args) {
  if (answer < 0) return fail_errno(-answer, call, std::forward<Args>(args)...);
  return answer;
}

}  // namespace virttdx
