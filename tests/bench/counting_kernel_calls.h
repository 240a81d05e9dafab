// SPDX-License-Identifier: GPL-2.0-or-later
// A KernelCalls that counts what KVM_RUN comes back for.
#pragma once

#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kvm/kernel_calls.h"
#include "kvm/kvm_spec.h"

namespace virttdx::test {

class CountingKernelCalls final : public KernelCalls {
 public:
  explicit CountingKernelCalls(KernelCalls& kernel) : kernel_(kernel) {}

  int open(const char* path, int flags) override { return kernel_.open(path, flags); }
  int ioctl(int fd, unsigned long request, std::uintptr_t argument) override {
    const int answer = kernel_.ioctl(fd, request, argument);
    if (request == kvm::KVM_RUN) count(fd, answer);
    return answer;
  }
  int mmap(int fd, std::size_t size, void** address) override {
    const int answer = kernel_.mmap(fd, size, address);
    const std::lock_guard lock(mutex_);
    if (answer == 0) run_areas_[fd] = static_cast<const kvm::kvm_run*>(*address);
    return answer;
  }
  int munmap(void* address, std::size_t size) override { return kernel_.munmap(address, size); }
  int close(int fd) override { return kernel_.close(fd); }
  int punch_hole(int fd, std::uint64_t offset, std::uint64_t size) override {
    return kernel_.punch_hole(fd, offset, size);
  }
  int pread(int fd, void* to, std::size_t size, std::uint64_t offset) override {
    return kernel_.pread(fd, to, size, offset);
  }
  const char* description() const override { return kernel_.description(); }

  std::map<std::string, std::uint64_t> exits() const {
    const std::lock_guard lock(mutex_);
    return exits_;
  }
  /// When the guest first touched fw_cfg: OVMF has accepted its memory by then.
  std::optional<std::chrono::steady_clock::time_point> first_fw_cfg() const {
    const std::lock_guard lock(mutex_);
    return first_fw_cfg_;
  }

 private:
  void count(int fd, int answer) {
    const std::lock_guard lock(mutex_);
    const kvm::kvm_run& run = *run_areas_.at(fd);
    if (answer == 0 && run.exit_reason == kvm::KVM_EXIT_IO && run.io.port == 0x510 && !first_fw_cfg_)
      first_fw_cfg_ = std::chrono::steady_clock::now();
    ++exits_[answer < 0 ? std::string("errno ") + std::strerror(-answer) : name_of(run)];
  }
  static std::string name_of(const kvm::kvm_run& run) {
    switch (run.exit_reason) {
      case kvm::KVM_EXIT_IO:
        return "port " + group_of(run.io.port);
      case kvm::KVM_EXIT_MMIO:
        return "MMIO";
      case kvm::KVM_EXIT_HYPERCALL:
        return "MapGPA";
      default:
        return "exit reason " + std::to_string(run.exit_reason);
    }
  }
  static std::string group_of(std::uint16_t port) {
    if (port >= 0x3F8 && port < 0x400) return "COM1";
    if (port >= 0x510 && port < 0x51C) return "fw_cfg";
    if (port >= 0xCF8 && port < 0xD00) return "PCI";
    if (port == 0x608) return "PM timer";
    if (port == 0x60 || port == 0x64) return "i8042";
    if (port == 0x70 || port == 0x71) return "RTC";
    return "other";
  }

  KernelCalls& kernel_;
  mutable std::mutex mutex_;
  std::map<int, const kvm::kvm_run*> run_areas_;
  std::map<std::string, std::uint64_t> exits_;
  std::optional<std::chrono::steady_clock::time_point> first_fw_cfg_;
};

}  // namespace virttdx::test
