// SPDX-License-Identifier: GPL-2.0-or-later
// Ioctls of /dev/kvm.
#include "softhost/kvm/system_file.h"

#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <utility>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/ioctl_table.h"
#include "softhost/kvm/run_page.h"
#include "softhost/kvm/supported_cpuid.h"

namespace virttdx::softhost {
namespace {

int get_api_version(HostParts& /*host*/, std::uintptr_t argument) {
  return argument != 0 ? -EINVAL : kvm::KVM_API_VERSION;
}

int get_vcpu_mmap_size(HostParts& /*host*/, std::uintptr_t argument) {
  return argument != 0 ? -EINVAL : static_cast<int>(RunPage::kSize);
}

int check_system_extension(HostParts& host, std::uintptr_t capability) {
  return check_extension(host.processor, nullptr, capability);
}

int create_vm(HostParts& host, std::uintptr_t type) {
  const bool has_type =
      type == kvm::KVM_X86_DEFAULT_VM || (type == kvm::KVM_X86_TDX_VM && host.processor.tdx);
  if (!has_type) return -EINVAL;
  UniqueFd fd(memfd_create("kvm-vm", MFD_CLOEXEC));  // any file: only its number is used
  if (!fd) return -errno;
  auto vm = std::make_shared<Vm>(host, type == kvm::KVM_X86_TDX_VM);
  return host.descriptors.insert(std::move(fd), make_vm_file(std::move(vm)));
}

constexpr std::array kSystemIoctls = {
    IoctlEntry<HostParts>{kvm::KVM_GET_API_VERSION, get_api_version},
    IoctlEntry<HostParts>{kvm::KVM_CREATE_VM, create_vm},
    IoctlEntry<HostParts>{kvm::KVM_CHECK_EXTENSION, check_system_extension},
    IoctlEntry<HostParts>{kvm::KVM_GET_VCPU_MMAP_SIZE, get_vcpu_mmap_size},
    IoctlEntry<HostParts>{kvm::KVM_GET_SUPPORTED_CPUID, get_supported_cpuid},
};

class SystemFile : public File {
 public:
  explicit SystemFile(HostParts& host) : host_(host) {}
  int ioctl(unsigned long request, std::uintptr_t argument) override {
    return dispatch<HostParts>(kSystemIoctls, host_, request, argument, -EINVAL);
  }

 private:
  HostParts& host_;
};

}  // namespace

std::shared_ptr<File> make_system_file(HostParts& host) { return std::make_shared<SystemFile>(host); }

}  // namespace virttdx::softhost
