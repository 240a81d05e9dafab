// SPDX-License-Identifier: GPL-2.0-or-later
// A KernelCalls that records what it is asked, answers as a willing KVM does, and fails where a test says so.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kvm/kernel_calls.h"
#include "kvm/kvm_spec.h"

namespace virttdx::test {

class FakeKernel : public KernelCalls {
 public:
  static constexpr int kKvmFd = 3;
  static constexpr int kVmFd = 10;
  static constexpr int kFirstVcpuFd = 20;
  static constexpr int kFirstMemoryFd = 100;
  static constexpr int kRunAreaSize = 3 * 4096;

  /// What a request does in place of its usual answer.
  using Handler = std::function<int(int fd, std::uintptr_t argument)>;
  /// What a TDX command does in place of answering 0.
  using TdxHandler = std::function<int(int fd, kvm::kvm_tdx_cmd& command)>;

  std::map<unsigned long, Handler> on_ioctl;
  std::map<std::uint32_t, TdxHandler> on_tdx;
  std::map<std::uint32_t, int> extensions = {{kvm::KVM_CAP_VM_TYPES, 1 | 1 << kvm::KVM_X86_TDX_VM},
                                             {kvm::KVM_CAP_MAX_VCPUS, 8}};
  /// Every ioctl's request and TDX command, in order.
  std::vector<unsigned long> requests;
  std::vector<std::uint32_t> tdx_commands;
  struct Hole {
    int fd;
    std::uint64_t offset, size;
    bool operator==(const Hole&) const = default;
  };
  std::vector<Hole> holes;
  std::set<int> open_fds;
  int open_answer = kKvmFd;
  /// Behind every descriptor of statistics; empty: there is none.
  std::vector<std::byte> statistics_file;

  int open(const char*, int) override { return open_answer < 0 ? open_answer : opened(open_answer); }

  int ioctl(int fd, unsigned long request, std::uintptr_t argument) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    if (request == kvm::KVM_MEMORY_ENCRYPT_OP) return tdx(fd, *reinterpret_cast<kvm::kvm_tdx_cmd*>(argument));
    if (const auto handler = on_ioctl.find(request); handler != on_ioctl.end())
      return handler->second(fd, argument);
    return usual_answer(request, argument);
  }

  int mmap(int, std::size_t size, void** address) override {
    *address = std::aligned_alloc(4096, size);
    std::fill_n(static_cast<char*>(*address), size, 0);
    run_area = static_cast<kvm::kvm_run*>(*address);
    return 0;
  }
  int munmap(void* address, std::size_t) override {
    std::free(address);
    return 0;
  }
  int close(int fd) override { return open_fds.erase(fd) == 1 ? 0 : -EBADF; }
  int punch_hole(int fd, std::uint64_t offset, std::uint64_t size) override {
    holes.push_back({fd, offset, size});
    return 0;
  }
  int pread(int, void* to, std::size_t size, std::uint64_t offset) override {
    if (statistics_file.empty()) return -EINVAL;
    const auto from = std::min<std::uint64_t>(offset, statistics_file.size());
    const auto count = std::min<std::uint64_t>(size, statistics_file.size() - from);
    std::copy_n(statistics_file.data() + from, count, static_cast<std::byte*>(to));
    return static_cast<int>(count);
  }
  const char* description() const override { return "fake"; }

  /// Of the vCPU mapped last.
  kvm::kvm_run* run_area = nullptr;

 private:
  int opened(int fd) {
    open_fds.insert(fd);
    return fd;
  }
  int tdx(int fd, kvm::kvm_tdx_cmd& command) {
    tdx_commands.push_back(command.id);
    const auto handler = on_tdx.find(command.id);
    return handler == on_tdx.end() ? 0 : handler->second(fd, command);
  }
  int usual_answer(unsigned long request, std::uintptr_t argument) {
    switch (request) {
      case kvm::KVM_GET_API_VERSION:
        return kvm::KVM_API_VERSION;
      case kvm::KVM_GET_VCPU_MMAP_SIZE:
        return kRunAreaSize;
      case kvm::KVM_CHECK_EXTENSION:
        return extensions[static_cast<std::uint32_t>(argument)];
      case kvm::KVM_CREATE_VM:
        return opened(kVmFd);
      case kvm::KVM_CREATE_VCPU:
        return opened(kFirstVcpuFd + static_cast<int>(argument));
      case kvm::KVM_CREATE_GUEST_MEMFD:
        return opened(next_memory_fd_++);
      default:
        return 0;
    }
  }

  std::mutex mutex_;
  int next_memory_fd_ = kFirstMemoryFd;
};

}  // namespace virttdx::test
