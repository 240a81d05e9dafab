// SPDX-License-Identifier: GPL-2.0-or-later
#include <atomic>
#include <cerrno>
#include <cstring>

#include "kvm/cpuid_buffer.h"
#include "kvm/kvm.h"

namespace virttdx {
namespace {

/// The kernel's signal set has 64 bits, the C library's more.
constexpr std::uint32_t kKernelSignalSetSize = 8;

struct SignalMask {
  kvm::kvm_signal_mask header;
  std::array<std::byte, kKernelSignalSetSize> set;
};
static_assert(sizeof(SignalMask) == sizeof(kvm::kvm_signal_mask) + kKernelSignalSetSize);

}  // namespace

KvmVcpu::~KvmVcpu() {
  if (!area_.empty()) fd_.kernel().munmap(area_.data(), area_.size());
}

kvm::kvm_run& KvmVcpu::run_area() {
  // SAFETY: KVM lays out a page-aligned kvm_run at the mapping's start.
  return *reinterpret_cast<kvm::kvm_run*>(area_.data());
}

Result<> KvmVcpu::set_cpuid(const CpuidEntries& entries) {
  CpuidBuffer<kvm::kvm_cpuid2> buffer(entries);
  TRY(checked(fd_.ioctl(kvm::KVM_SET_CPUID2, &buffer.header()), "KVM_SET_CPUID2 vCPU {} with {} entries", id_,
              entries.size()));
  return {};
}

Result<> KvmVcpu::set_signal_mask(const sigset_t& blocked) {
  SignalMask mask{{kKernelSignalSetSize}, {}};
  std::memcpy(mask.set.data(), &blocked, mask.set.size());
  TRY(checked(fd_.ioctl(kvm::KVM_SET_SIGNAL_MASK, &mask), "KVM_SET_SIGNAL_MASK vCPU {}", id_));
  return {};
}

Result<KernelFd> KvmVcpu::statistics_fd() const {
  return KernelFd(fd_.kernel(),
                  TRY(checked(fd_.ioctl(kvm::KVM_GET_STATS_FD), "KVM_GET_STATS_FD vCPU {}", id_)));
}

TdxAnswer KvmVcpu::tdx_command(std::uint32_t command, std::uint32_t flags, std::uint64_t data) {
  kvm::kvm_tdx_cmd request{command, flags, data, 0};
  const int answer = fd_.ioctl(kvm::KVM_MEMORY_ENCRYPT_OP, &request);
  return {answer, request.hw_error};
}

Result<VcpuExit> KvmVcpu::run() {
  const int answer = fd_.ioctl(kvm::KVM_RUN);
  // EAGAIN: a vCPU that was not runnable yet has been woken.
  if (answer == -EINTR || answer == -EAGAIN) return InterruptedExit{};
  const bool is_memory_fault =
      (answer == -EFAULT || answer == -EHWPOISON) && run_area().exit_reason == kvm::KVM_EXIT_MEMORY_FAULT;
  if (answer < 0 && !is_memory_fault) return fail_errno(-answer, "KVM_RUN vCPU {}", id_);
  return decode_exit(area_);
}

void KvmVcpu::set_immediate_exit(bool set) {
  std::atomic_ref(run_area().immediate_exit).store(set ? 1 : 0, std::memory_order_release);
}

Result<> KvmVcpu::set_registers(const kvm::kvm_regs& registers) {
  TRY(checked(fd_.ioctl(kvm::KVM_SET_REGS, &registers), "KVM_SET_REGS vCPU {}", id_));
  return {};
}

Result<kvm::kvm_regs> KvmVcpu::registers() {
  kvm::kvm_regs registers{};
  TRY(checked(fd_.ioctl(kvm::KVM_GET_REGS, &registers), "KVM_GET_REGS vCPU {}", id_));
  return registers;
}

Result<> KvmVcpu::set_system_registers(const kvm::kvm_sregs& registers) {
  TRY(checked(fd_.ioctl(kvm::KVM_SET_SREGS, &registers), "KVM_SET_SREGS vCPU {}", id_));
  return {};
}

Result<kvm::kvm_sregs> KvmVcpu::system_registers() {
  kvm::kvm_sregs registers{};
  TRY(checked(fd_.ioctl(kvm::KVM_GET_SREGS, &registers), "KVM_GET_SREGS vCPU {}", id_));
  return registers;
}

}  // namespace virttdx
