// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstring>
#include <vector>

#include "kvm/kvm.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kIoeventfdDeassign = 4;  // KVM_IOEVENTFD_FLAG_DEASSIGN
constexpr std::uint32_t kIrqfdDeassign = 1;      // KVM_IRQFD_FLAG_DEASSIGN

}  // namespace

int KvmVm::check_extension(std::uint32_t capability) const {
  return std::max(0, fd_.ioctl(kvm::KVM_CHECK_EXTENSION, capability));
}

Result<> KvmVm::enable(std::uint32_t capability, const char* name, std::uint64_t argument) {
  kvm::kvm_enable_cap request{};
  request.cap = capability;
  request.args[0] = argument;
  TRY(checked(fd_.ioctl(kvm::KVM_ENABLE_CAP, &request), "KVM_ENABLE_CAP {} {:#x}", name, argument));
  return {};
}

Result<KvmVcpu> KvmVm::create_vcpu(std::uint32_t id) {
  KernelFd fd(kernel(), TRY(checked(fd_.ioctl(kvm::KVM_CREATE_VCPU, id), "KVM_CREATE_VCPU {}", id)));
  void* area = nullptr;
  TRY(checked(kernel().mmap(fd.get(), run_area_size_, &area), "Cannot map vCPU {}'s struct kvm_run", id));
  return KvmVcpu(std::move(fd), id, {static_cast<std::byte*>(area), run_area_size_});
}

Result<> KvmVm::set_memory_region(const kvm::kvm_userspace_memory_region& region) {
  TRY(checked(fd_.ioctl(kvm::KVM_SET_USER_MEMORY_REGION, &region),
              "KVM_SET_USER_MEMORY_REGION slot {} {:#x}+{:#x}", region.slot, region.guest_phys_addr,
              region.memory_size));
  return {};
}

Result<> KvmVm::set_memory_region(const kvm::kvm_userspace_memory_region2& region) {
  TRY(checked(fd_.ioctl(kvm::KVM_SET_USER_MEMORY_REGION2, &region),
              "KVM_SET_USER_MEMORY_REGION2 slot {} {:#x}+{:#x}", region.slot, region.guest_phys_addr,
              region.memory_size));
  return {};
}

Result<KernelFd> KvmVm::create_guest_memfd(std::uint64_t size) {
  kvm::kvm_create_guest_memfd request{};
  request.size = size;
  return KernelFd(kernel(), TRY(checked(fd_.ioctl(kvm::KVM_CREATE_GUEST_MEMFD, &request),
                                        "KVM_CREATE_GUEST_MEMFD size {:#x}", size)));
}

Result<> KvmVm::set_private(const GpaRange& range, bool is_private) {
  kvm::kvm_memory_attributes request{range.base().value, range.size(),
                                     is_private ? kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE : 0, 0};
  TRY(checked(fd_.ioctl(kvm::KVM_SET_MEMORY_ATTRIBUTES, &request),
              "KVM_SET_MEMORY_ATTRIBUTES {:#x}+{:#x} {:#x}", request.address, request.size,
              request.attributes));
  return {};
}

Result<> KvmVm::set_tsc_khz(std::uint32_t khz) {
  TRY(checked(fd_.ioctl(kvm::KVM_SET_TSC_KHZ, khz), "KVM_SET_TSC_KHZ {}", khz));
  return {};
}

Result<std::uint32_t> KvmVm::tsc_khz() const {
  return static_cast<std::uint32_t>(TRY(checked(fd_.ioctl(kvm::KVM_GET_TSC_KHZ), "KVM_GET_TSC_KHZ")));
}

Result<> KvmVm::signal_msi(std::uint64_t address, std::uint32_t data) {
  kvm::kvm_msi message{};
  message.address_lo = static_cast<std::uint32_t>(address);
  message.address_hi = static_cast<std::uint32_t>(address >> 32);
  message.data = data;
  TRY(checked(fd_.ioctl(kvm::KVM_SIGNAL_MSI, &message), "KVM_SIGNAL_MSI address {:#x} data {:#x}", address,
              data));
  return {};
}

Result<> KvmVm::assign_ioeventfd(Gpa address, std::uint32_t size, int eventfd) {
  kvm::kvm_ioeventfd request{};
  request.addr = address.value;
  request.len = size;
  request.fd = eventfd;
  TRY(checked(fd_.ioctl(kvm::KVM_IOEVENTFD, &request), "KVM_IOEVENTFD address {:#x} size {}", address.value,
              size));
  return {};
}

void KvmVm::deassign_ioeventfd(Gpa address, std::uint32_t size, int eventfd) {
  kvm::kvm_ioeventfd request{};
  request.addr = address.value;
  request.len = size;
  request.fd = eventfd;
  request.flags = kIoeventfdDeassign;
  fd_.ioctl(kvm::KVM_IOEVENTFD, &request);  // ENOENT when it was not assigned
}

Result<> KvmVm::set_gsi_routing(std::span<const kvm::kvm_irq_routing_entry> entries) {
  const kvm::kvm_irq_routing table{.nr = static_cast<std::uint32_t>(entries.size()), .flags = 0};
  std::vector<std::byte> request(sizeof(table) + entries.size_bytes());
  std::memcpy(request.data(), &table, sizeof(table));
  std::ranges::copy(std::as_bytes(entries), request.begin() + sizeof(table));
  TRY(checked(fd_.ioctl(kvm::KVM_SET_GSI_ROUTING, request.data()), "KVM_SET_GSI_ROUTING of {} routes",
              entries.size()));
  return {};
}

Result<> KvmVm::assign_irqfd(int eventfd, std::uint32_t gsi) {
  kvm::kvm_irqfd request{};
  request.fd = static_cast<std::uint32_t>(eventfd);
  request.gsi = gsi;
  TRY(checked(fd_.ioctl(kvm::KVM_IRQFD, &request), "KVM_IRQFD of GSI {}", gsi));
  return {};
}

void KvmVm::deassign_irqfd(int eventfd, std::uint32_t gsi) {
  kvm::kvm_irqfd request{};
  request.fd = static_cast<std::uint32_t>(eventfd);
  request.gsi = gsi;
  request.flags = kIrqfdDeassign;
  fd_.ioctl(kvm::KVM_IRQFD, &request);  // nothing to do when it was not assigned
}

Result<KernelFd> KvmVm::statistics_fd() const {
  return KernelFd(kernel(), TRY(checked(fd_.ioctl(kvm::KVM_GET_STATS_FD), "KVM_GET_STATS_FD")));
}

TdxAnswer KvmVm::tdx_command(std::uint32_t command, std::uint32_t flags, std::uint64_t data) {
  kvm::kvm_tdx_cmd request{command, flags, data, 0};
  const int answer = fd_.ioctl(kvm::KVM_MEMORY_ENCRYPT_OP, &request);
  return {answer, request.hw_error};
}

}  // namespace virttdx
