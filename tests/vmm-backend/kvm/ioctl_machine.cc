// SPDX-License-Identifier: GPL-2.0-or-later
#include "ioctl_machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace virttdx {
namespace {

constexpr std::uint8_t kHlt = 0xF4;
// An operand of LIDT: no interrupt table.
constexpr std::size_t kEmptyTable = 0xE00;

std::string hex(const std::byte* data, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", static_cast<unsigned>(data[i]));
  return text;
}

std::string io_text(const IoctlMachine::Vcpu& vcpu) {
  const auto& io = vcpu.run().io;
  const std::size_t size = std::size_t{io.size} * io.count;
  if (io.direction == kvm::KVM_EXIT_IO_IN)
    return fmt::format("in {:#x} size {} count {}", io.port, io.size, io.count);
  return fmt::format("out {:#x} size {} data {}", io.port, io.size, hex(vcpu.area + io.data_offset, size));
}

std::string mmio_text(const kvm::kvm_run& run) {
  const auto& mmio = run.mmio;
  if (mmio.is_write == 0) return fmt::format("read {:#x} size {}", mmio.phys_addr, mmio.len);
  return fmt::format("write {:#x} data {}", mmio.phys_addr,
                     hex(reinterpret_cast<const std::byte*>(mmio.data), mmio.len));
}

std::string exit_text(const IoctlMachine::Vcpu& vcpu) {
  const kvm::kvm_run& run = vcpu.run();
  switch (run.exit_reason) {
    case kvm::KVM_EXIT_IO:
      return io_text(vcpu);
    case kvm::KVM_EXIT_MMIO:
      return mmio_text(run);
    case kvm::KVM_EXIT_HLT:
      return "hlt";
    case kvm::KVM_EXIT_SHUTDOWN:
      return "shutdown";
    case kvm::KVM_EXIT_INTERNAL_ERROR:
      return fmt::format("internal error {}", run.internal.suberror);
    default:
      return fmt::format("exit {}", run.exit_reason);
  }
}

/// Answers a read with bytes that tell their place.
void answer_read(const IoctlMachine::Vcpu& vcpu) {
  kvm::kvm_run& run = vcpu.run();
  const bool is_port = run.exit_reason == kvm::KVM_EXIT_IO;
  std::byte* const data =
      is_port ? vcpu.area + run.io.data_offset : reinterpret_cast<std::byte*>(run.mmio.data);
  const std::size_t size = is_port ? std::size_t{run.io.size} * run.io.count : run.mmio.len;
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(0xA1 + 0x11 * i);
}

}  // namespace

std::string answer_text(int answer) {
  return answer < 0 ? strerrorname_np(-answer) : fmt::format("{}", answer);
}

IoctlMachine::IoctlMachine(KernelCalls& kernel) : kernel_(kernel) {
  system_ = kernel_.open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (system_ < 0) {
    refusal_ = fmt::format("/dev/kvm does not open: {}", answer_text(system_));
    return;
  }
  vm_ = call(system_, kvm::KVM_CREATE_VM, kvm::KVM_X86_DEFAULT_VM);
  if (vm_ < 0) refusal_ = fmt::format("KVM_CREATE_VM: {}", answer_text(vm_));
  area_size_ = static_cast<std::size_t>(call(system_, kvm::KVM_GET_VCPU_MMAP_SIZE, 0));
  eventfd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  void* const memory = mmap(nullptr, kMemorySize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    refusal_ = "no memory";
    return;
  }
  memory_ = static_cast<std::byte*>(memory);
  std::memset(memory_, kHlt, kMemorySize);
  std::memset(memory_ + kEmptyTable, 0, 6);
}

IoctlMachine::~IoctlMachine() {
  for (const Vcpu& vcpu : vcpus_) {
    if (vcpu.area != nullptr) kernel_.munmap(vcpu.area, area_size_);
    kernel_.close(vcpu.fd);
  }
  if (vm_ >= 0) kernel_.close(vm_);
  if (system_ >= 0) kernel_.close(system_);
  if (eventfd_ >= 0) ::close(eventfd_);
  if (memory_ != nullptr) munmap(memory_, kMemorySize);
}

std::string IoctlMachine::set_slot(unsigned long request, std::uintptr_t region, std::uint64_t size) {
  const int answer = call(vm_, request, region);
  had_memory_ = had_memory_ || (answer == 0 && size != 0);
  return answer_text(answer);
}

std::string IoctlMachine::create_vcpu(std::uint64_t id) {
  const int fd = call(vm_, kvm::KVM_CREATE_VCPU, id);
  if (fd < 0) return answer_text(fd);
  Vcpu vcpu{.fd = fd};
  void* area = nullptr;
  if (const int status = kernel_.mmap(fd, area_size_, &area); status != 0)
    return fmt::format("mmap: {}", answer_text(status));
  vcpu.area = static_cast<std::byte*>(area);
  vcpus_.push_back(vcpu);
  return "a descriptor";
}

std::string IoctlMachine::close_if_descriptor(int answer) {
  if (answer < 0) return answer_text(answer);
  kernel_.close(answer);
  return "a descriptor";
}

void IoctlMachine::load(std::uint64_t offset, const std::vector<std::uint8_t>& program) {
  std::ranges::copy(std::as_bytes(std::span(program)), memory_ + offset);
}

std::string IoctlMachine::start_at(Vcpu& vcpu, std::uint64_t offset) {
  if (vcpu.is_read_unanswered) enter(vcpu, true);
  kvm::kvm_sregs system{};
  if (const int status = call_with(vcpu.fd, kvm::KVM_GET_SREGS, system); status != 0)
    return answer_text(status);
  system.cs.base = 0;
  system.cs.selector = 0;
  if (const int status = call_with(vcpu.fd, kvm::KVM_SET_SREGS, system); status != 0)
    return answer_text(status);
  kvm::kvm_regs registers{};
  registers.rip = kCode + offset;
  registers.rsp = kCode + 0xC00;
  registers.rsi = kCode + 0x800;
  registers.rdi = kCode + 0x810;
  registers.rflags = 2;
  return answer_text(call_with(vcpu.fd, kvm::KVM_SET_REGS, registers));
}

int IoctlMachine::enter(Vcpu& vcpu, bool immediate_exit) {
  if (std::exchange(vcpu.is_read_unanswered, false)) answer_read(vcpu);
  vcpu.run().immediate_exit = immediate_exit ? 1 : 0;
  const int answer = call(vcpu.fd, kvm::KVM_RUN, 0);
  vcpu.run().immediate_exit = 0;
  return answer;
}

std::string IoctlMachine::run(Vcpu& vcpu, bool immediate_exit) {
  if (vcpu.is_shut_down) return "shut down before";
  if (!had_memory_) return "never had memory";
  const int answer = enter(vcpu, immediate_exit);
  if (answer < 0) return answer_text(answer);
  const kvm::kvm_run& run = vcpu.run();
  const std::string text = fmt::format("{}: {}", answer, exit_text(vcpu));
  vcpu.is_shut_down = run.exit_reason == kvm::KVM_EXIT_SHUTDOWN;
  const bool is_port = run.exit_reason == kvm::KVM_EXIT_IO, is_mmio = run.exit_reason == kvm::KVM_EXIT_MMIO;
  const bool is_read = is_port ? run.io.direction == kvm::KVM_EXIT_IO_IN : run.mmio.is_write == 0;
  vcpu.is_read_unanswered = (is_port || is_mmio) && is_read;
  if ((is_port || is_mmio) && !is_read) return text + ", completed " + answer_text(enter(vcpu, true));
  return text;
}

}  // namespace virttdx
