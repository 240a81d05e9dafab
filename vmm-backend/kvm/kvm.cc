// SPDX-License-Identifier: GPL-2.0-or-later
#include "kvm/kvm.h"

#include <fcntl.h>

#include "kvm/cpuid_buffer.h"

namespace virttdx {

CpuidEntry from_kvm(const kvm::kvm_cpuid_entry2& entry) {
  return {entry.function, entry.index, (entry.flags & kvm::KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0,
          entry.eax,      entry.ebx,   entry.ecx,
          entry.edx};
}

kvm::kvm_cpuid_entry2 to_kvm(const CpuidEntry& entry) {
  return {entry.function, entry.index, entry.index_significant ? kvm::KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
          entry.eax,      entry.ebx,   entry.ecx,
          entry.edx,      {}};
}

Result<Kvm> Kvm::open(KernelCalls& kernel) {
  KernelFd fd(kernel, TRY(checked(kernel.open("/dev/kvm", O_RDWR), "Cannot open /dev/kvm")));
  const int version = TRY(checked(fd.ioctl(kvm::KVM_GET_API_VERSION), "KVM_GET_API_VERSION"));
  if (version != kvm::KVM_API_VERSION)
    return fail(Error::Code::Unsupported, "KVM_GET_API_VERSION: {} instead of {}", version,
                kvm::KVM_API_VERSION);
  const int size = TRY(checked(fd.ioctl(kvm::KVM_GET_VCPU_MMAP_SIZE), "KVM_GET_VCPU_MMAP_SIZE"));
  if (static_cast<std::size_t>(size) < sizeof(kvm::kvm_run))
    return fail(Error::Code::Unsupported, "KVM_GET_VCPU_MMAP_SIZE: {}, less than struct kvm_run's {}", size,
                sizeof(kvm::kvm_run));
  return Kvm(std::move(fd), static_cast<std::size_t>(size));
}

int Kvm::check_extension(std::uint32_t capability) const {
  return std::max(0, fd_.ioctl(kvm::KVM_CHECK_EXTENSION, capability));
}

bool Kvm::has_vm_type(unsigned long type) const {
  return (static_cast<unsigned>(check_extension(kvm::KVM_CAP_VM_TYPES)) >> type & 1) != 0;
}

Result<KvmVm> Kvm::create_vm(unsigned long type) {
  const int fd = TRY(checked(fd_.ioctl(kvm::KVM_CREATE_VM, type), "KVM_CREATE_VM type {}", type));
  return KvmVm(KernelFd(fd_.kernel(), fd), run_area_size_);
}

Result<CpuidEntries> Kvm::supported_cpuid() const {
  auto buffer = TRY(call_with_growing_buffer<kvm::kvm_cpuid2>("KVM_GET_SUPPORTED_CPUID", [&](auto& room) {
    return fd_.ioctl(kvm::KVM_GET_SUPPORTED_CPUID, &room.header());
  }));
  return buffer.entries();
}

}  // namespace virttdx
