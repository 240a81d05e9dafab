// SPDX-License-Identifier: GPL-2.0-or-later
// An ordinary VM with memory and some vCPUs, reached by raw ioctls through one implementation of the seam.
// Every call answers as text, so that two hosts can be compared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kvm/kernel_calls.h"
#include "kvm/kvm_spec.h"

namespace virttdx {

/// "0", the value, or the errno's name.
std::string answer_text(int answer);

class IoctlMachine {
 public:
  static constexpr std::size_t kMemorySize = 0x4000;
  static constexpr std::uint64_t kCode = 0x1000;
  /// An address where nothing is mapped.
  static constexpr std::uint64_t kBadPointer = 0x10;

  struct Vcpu {
    int fd = -1;
    std::byte* area = nullptr;
    bool is_read_unanswered = false;
    bool is_shut_down = false;  ///< what runs after that is the processor's business
    kvm::kvm_run& run() const { return *reinterpret_cast<kvm::kvm_run*>(area); }
  };

  explicit IoctlMachine(KernelCalls& kernel);
  ~IoctlMachine();
  IoctlMachine(const IoctlMachine&) = delete;
  IoctlMachine& operator=(const IoctlMachine&) = delete;

  /// Why the host gives no ordinary VM; empty: it does.
  const std::string& refusal() const { return refusal_; }

  int call(int fd, unsigned long request, std::uint64_t argument) {
    return kernel_.ioctl(fd, request, argument);
  }
  template <typename T>
  int call_with(int fd, unsigned long request, T& argument) {
    return kernel_.ioctl(fd, request, reinterpret_cast<std::uintptr_t>(&argument));
  }

  int system() const { return system_; }
  int vm() const { return vm_; }
  std::byte* memory() const { return memory_; }
  int eventfd() const { return eventfd_; }
  /// The vCPU created `index`-th; null: there is none.
  Vcpu* vcpu(std::uint64_t index) { return index < vcpus_.size() ? &vcpus_[index] : nullptr; }

  std::string set_slot(unsigned long request, std::uintptr_t region, std::uint64_t size);

  std::string create_vcpu(std::uint64_t id);
  /// Closes a descriptor that a call has given; other answers stay.
  std::string close_if_descriptor(int answer);
  /// Puts a program into memory, where HLTs were. Before any vCPU runs there.
  void load(std::uint64_t offset, const std::vector<std::uint8_t>& program);
  /// Real mode at kCode + `offset`, with a stack and string operands behind the programs. Ends an exit that
  /// is under way first.
  std::string start_at(Vcpu& vcpu, std::uint64_t offset);
  /// KVM_RUN; what the exit tells. A write's exit is completed at once: until then processors differ in what
  /// RIP shows.
  std::string run(Vcpu& vcpu, bool immediate_exit);

 private:
  int enter(Vcpu& vcpu, bool immediate_exit);
  KernelCalls& kernel_;
  std::string refusal_;
  int system_ = -1, vm_ = -1, eventfd_ = -1;
  std::size_t area_size_ = 0;
  std::byte* memory_ = nullptr;
  bool had_memory_ = false;  ///< KVM's software paging refuses to run a VM that never had a slot
  std::vector<Vcpu> vcpus_;
};

}  // namespace virttdx
