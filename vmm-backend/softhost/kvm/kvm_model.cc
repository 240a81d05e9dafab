// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/kvm_model.h"

#include <sys/mman.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "softhost/kvm/system_file.h"

namespace virttdx::softhost {
namespace {

class KvmModel final : public SoftHost {
 public:
  KvmModel(Processor processor, std::vector<SoftFault> faults)
      : host_(std::move(processor), std::move(faults)) {}

  int open(const char* path, int /*flags*/) override {
    if (path == nullptr) return -EFAULT;
    if (std::string_view(path) != "/dev/kvm") return -ENOENT;
    UniqueFd fd(memfd_create("kvm", MFD_CLOEXEC));  // any file: only its number is used
    if (!fd) return -errno;
    return host_.descriptors.insert(std::move(fd), make_system_file(host_));
  }

  int ioctl(int fd, unsigned long request, std::uintptr_t argument) override {
    const auto file = host_.descriptors.find(fd);
    if (!file) return -EBADF;
    const auto fault = host_.faults.arrive_at_ioctl(request, argument);
    if (!fault) return file->ioctl(request, argument);
    if (fault->kills_vm) file->kill_vm();
    return -static_cast<int>(fault->error.value_or(FaultErrno::Eio));
  }

  int mmap(int fd, std::size_t size, void** address) override {
    const auto file = host_.descriptors.find(fd);
    if (!file) return -EBADF;
    if (size == 0 || size > file->mappable_size()) return file->mappable_size() == 0 ? -ENODEV : -EINVAL;
    void* const base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) return -errno;
    *address = base;
    return 0;
  }

  int munmap(void* address, std::size_t size) override { return ::munmap(address, size) == 0 ? 0 : -errno; }

  int close(int fd) override { return host_.descriptors.close(fd); }

  int punch_hole(int fd, std::uint64_t offset, std::uint64_t size) override {
    const auto file = host_.descriptors.find(fd);
    return file ? file->punch_hole(offset, size) : -EBADF;
  }

  int pread(int fd, void* to, std::size_t size, std::uint64_t offset) override {
    const auto file = host_.descriptors.find(fd);
    return file ? file->pread({static_cast<std::byte*>(to), size}, offset) : -EBADF;
  }

  const char* description() const override {
    return host_.processor.module ? kPlayingDescription : kDescription;
  }

  std::optional<Measurement> mrtd(int vm_fd) const override {
    const auto file = host_.descriptors.find(vm_fd);
    return file ? vm_measurement(*file) : std::nullopt;
  }

  std::optional<std::vector<std::byte>> td_report(int vm_fd) const override {
    const auto file = host_.descriptors.find(vm_fd);
    return file ? vm_td_report(*file) : std::nullopt;
  }

 private:
  HostParts host_;
};

}  // namespace

std::unique_ptr<SoftHost> create_kvm_model(Processor processor, std::vector<SoftFault> faults) {
  return std::make_unique<KvmModel>(std::move(processor), std::move(faults));
}

}  // namespace virttdx::softhost
