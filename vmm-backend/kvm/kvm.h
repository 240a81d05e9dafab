// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's three levels of descriptors, one type each. Every function is one request of Linux'
// Documentation/virt/kvm/api.rst; errors carry its name, its object and errno. The KernelCalls outlives them
// all.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "kvm/kernel_fd.h"
#include "kvm/kvm_spec.h"
#include "kvm/vcpu_exit.h"
#include "support/result.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Answer of a KVM_MEMORY_ENCRYPT_OP: -errno or at least 0, and the TDX module's status where KVM passes it
/// on.
struct TdxAnswer {
  int answer = 0;
  std::uint64_t hw_error = 0;
};

/// A vCPU. Used by one thread at a time, but for set_immediate_exit(). Movable while it does not run.
class KvmVcpu {
 public:
  KvmVcpu(KernelFd fd, std::uint32_t id, std::span<std::byte> area)
      : fd_(std::move(fd)), id_(id), area_(area) {}
  KvmVcpu(KvmVcpu&& other) noexcept
      : fd_(std::move(other.fd_)), id_(other.id_), area_(std::exchange(other.area_, {})) {}
  KvmVcpu& operator=(KvmVcpu&&) = delete;
  ~KvmVcpu();

  std::uint32_t id() const { return id_; }
  Result<> set_cpuid(const CpuidEntries& entries);
  /// The signals that are blocked during KVM_RUN, in place of the thread's own.
  Result<> set_signal_mask(const sigset_t& blocked);
  /// For KvmStatistics. While the vCPU runs, KVM waits for it to come back.
  Result<KernelFd> statistics_fd() const;
  TdxAnswer tdx_command(std::uint32_t command, std::uint32_t flags, std::uint64_t data);
  template <typename T>
  TdxAnswer tdx_command(std::uint32_t command, std::uint32_t flags, T* data) {
    // SAFETY: the command's structure is T, by the caller.
    return tdx_command(command, flags, reinterpret_cast<std::uint64_t>(data));
  }

  /// Runs the guest until KVM comes back. An error is one that running again cannot mend.
  Result<VcpuExit> run();
  /// While set, run() completes what the last exit left open and comes back at once with InterruptedExit.
  /// Any thread.
  void set_immediate_exit(bool set);

  /// State of an ordinary VM's vCPU; a TD refuses these.
  Result<> set_registers(const kvm::kvm_regs& registers);
  Result<kvm::kvm_regs> registers();
  Result<> set_system_registers(const kvm::kvm_sregs& registers);
  Result<kvm::kvm_sregs> system_registers();

 private:
  kvm::kvm_run& run_area();

  KernelFd fd_;
  std::uint32_t id_;
  std::span<std::byte> area_;
};

/// A virtual machine. Any thread.
class KvmVm {
 public:
  KvmVm(KernelFd fd, std::size_t run_area_size) : fd_(std::move(fd)), run_area_size_(run_area_size) {}

  int fd() const { return fd_.get(); }
  KernelCalls& kernel() const { return fd_.kernel(); }
  /// 0 when the VM does not have the capability.
  int check_extension(std::uint32_t capability) const;
  Result<> enable(std::uint32_t capability, const char* name, std::uint64_t argument);
  Result<KvmVcpu> create_vcpu(std::uint32_t id);
  Result<> set_memory_region(const kvm::kvm_userspace_memory_region& region);
  Result<> set_memory_region(const kvm::kvm_userspace_memory_region2& region);
  Result<KernelFd> create_guest_memfd(std::uint64_t size);
  Result<> set_private(const GpaRange& range, bool is_private);
  Result<> set_tsc_khz(std::uint32_t khz);
  Result<std::uint32_t> tsc_khz() const;
  /// A message to the local APICs.
  Result<> signal_msi(std::uint64_t address, std::uint32_t data);
  /// Guest writes of `size` bytes at `address` signal `eventfd` in place of an exit.
  Result<> assign_ioeventfd(Gpa address, std::uint32_t size, int eventfd);
  /// Undoes assign_ioeventfd() with the same arguments.
  void deassign_ioeventfd(Gpa address, std::uint32_t size, int eventfd);
  /// What interrupts of GSIs are, all of them.
  Result<> set_gsi_routing(std::span<const kvm::kvm_irq_routing_entry> entries);
  /// Signals of `eventfd` raise `gsi`.
  Result<> assign_irqfd(int eventfd, std::uint32_t gsi);
  /// Undoes assign_irqfd() with the same arguments.
  void deassign_irqfd(int eventfd, std::uint32_t gsi);
  /// For KvmStatistics.
  Result<KernelFd> statistics_fd() const;
  TdxAnswer tdx_command(std::uint32_t command, std::uint32_t flags, std::uint64_t data);
  template <typename T>
  TdxAnswer tdx_command(std::uint32_t command, std::uint32_t flags, T* data) {
    // SAFETY: the command's structure is T, by the caller.
    return tdx_command(command, flags, reinterpret_cast<std::uint64_t>(data));
  }

 private:
  KernelFd fd_;
  std::size_t run_area_size_;
};

/// /dev/kvm. Any thread.
class Kvm {
 public:
  /// Opens it and checks the API version.
  static Result<Kvm> open(KernelCalls& kernel);

  /// 0 when the host does not have the capability.
  int check_extension(std::uint32_t capability) const;
  /// Whether KVM_CREATE_VM takes this type.
  bool has_vm_type(unsigned long type) const;
  Result<KvmVm> create_vm(unsigned long type);
  Result<CpuidEntries> supported_cpuid() const;

 private:
  Kvm(KernelFd fd, std::size_t run_area_size) : fd_(std::move(fd)), run_area_size_(run_area_size) {}

  KernelFd fd_;
  std::size_t run_area_size_;
};

}  // namespace virttdx
