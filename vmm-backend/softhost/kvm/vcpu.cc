// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/vcpu.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/ioctl_table.h"
#include "softhost/kvm/run_environment.h"
#include "softhost/kvm/statistics_file.h"
#include "support/log.h"

namespace virttdx::softhost {
namespace {

int get_mp_state(Vcpu& vcpu, std::uintptr_t argument) {
  return write_argument(argument, kvm::kvm_mp_state{vcpu.mp_state});
}

int set_mp_state(Vcpu& vcpu, std::uintptr_t argument) {
  kvm::kvm_mp_state state{};
  if (const int status = read_argument(argument, state); status != 0) return status;
  constexpr std::array kStates = {kvm::KVM_MP_STATE_RUNNABLE, kvm::KVM_MP_STATE_UNINITIALIZED,
                                  kvm::KVM_MP_STATE_HALTED};
  if (std::find(kStates.begin(), kStates.end(), state.mp_state) == kStates.end()) return -EINVAL;
  // Without a local APIC in the kernel, the other states are the monitor's own business.
  if (!vcpu.apic && state.mp_state != kvm::KVM_MP_STATE_RUNNABLE) return -EINVAL;
  vcpu.mp_state = state.mp_state;
  return 0;
}

int set_signal_mask(Vcpu& vcpu, std::uintptr_t argument) {
  constexpr std::uint32_t kKernelSetSize = 8;
  if (argument == 0) {
    vcpu.signal_mask.reset();
    return 0;
  }
  kvm::kvm_signal_mask header{};
  if (const int status = read_argument(argument, header); status != 0) return status;
  if (header.len != kKernelSetSize) return -EINVAL;
  std::uint64_t bits = 0;
  if (const int status = read_argument(argument + sizeof(header), bits); status != 0) return status;
  sigset_t mask;
  sigemptyset(&mask);
  for (int signal = 1; signal <= 64; ++signal)
    if ((bits >> (signal - 1) & 1) != 0) sigaddset(&mask, signal);
  vcpu.signal_mask = mask;
  return 0;
}

int inject_nmi(Vcpu& vcpu, std::uintptr_t /*argument*/) {
  if (!vcpu.apic) return -ENOTTY;
  vcpu.apic->inject_nmi();
  return 0;
}

int get_tsc_khz(Vcpu& vcpu, std::uintptr_t argument) { return get_vm_tsc_khz(vcpu.vm, argument); }

// State that a TD's vCPU never shows, DEBUG being no attribute that KVM supports.
int refuse_protected(Vcpu& /*vcpu*/, std::uintptr_t /*argument*/) { return -EINVAL; }

// A vector of a PIC outside of the kernel. It waits for ever: no guest in a TD has LINT0 in ExtINT mode.
int interrupt(Vcpu& vcpu, std::uintptr_t argument) {
  constexpr std::uint32_t kVectors = 256;
  kvm::kvm_interrupt request{};
  if (const int status = read_argument(argument, request); status != 0) return status;
  if (request.irq >= kVectors || !vcpu.vm.is_td) return -EINVAL;
  if (vcpu.external_vector >= 0) return -EEXIST;
  vcpu.external_vector = static_cast<int>(request.irq);
  return 0;
}

template <int (*Function)(Vcpu&, std::uintptr_t)>
int unless_protected(Vcpu& vcpu, std::uintptr_t argument) {
  return vcpu.vm.is_td ? -EINVAL : Function(vcpu, argument);
}

constexpr std::array kVcpuIoctls = {
    IoctlEntry<Vcpu>{kvm::KVM_RUN, run_vcpu},
    IoctlEntry<Vcpu>{kvm::KVM_SET_CPUID2, set_cpuid2},
    IoctlEntry<Vcpu>{kvm::KVM_GET_CPUID2, get_cpuid2},
    IoctlEntry<Vcpu>{kvm::KVM_GET_MSRS, get_msrs},
    IoctlEntry<Vcpu>{kvm::KVM_SET_MSRS, set_msrs},
    IoctlEntry<Vcpu>{kvm::KVM_X86_SETUP_MCE, set_up_machine_checks},
    IoctlEntry<Vcpu>{kvm::KVM_GET_MP_STATE, get_mp_state},
    IoctlEntry<Vcpu>{kvm::KVM_SET_MP_STATE, set_mp_state},
    IoctlEntry<Vcpu>{kvm::KVM_SET_SIGNAL_MASK, set_signal_mask},
    IoctlEntry<Vcpu>{kvm::KVM_NMI, inject_nmi},
    IoctlEntry<Vcpu>{kvm::KVM_INTERRUPT, interrupt},
    IoctlEntry<Vcpu>{kvm::KVM_PRE_FAULT_MEMORY, pre_fault_memory},
    IoctlEntry<Vcpu>{kvm::KVM_GET_REGS, unless_protected<get_registers>},
    IoctlEntry<Vcpu>{kvm::KVM_SET_REGS, unless_protected<set_registers>},
    IoctlEntry<Vcpu>{kvm::KVM_GET_SREGS, unless_protected<get_system_registers>},
    IoctlEntry<Vcpu>{kvm::KVM_SET_SREGS, unless_protected<set_system_registers>},
    IoctlEntry<Vcpu>{kvm::KVM_GET_SREGS2, unless_protected<get_system_registers2>},
    IoctlEntry<Vcpu>{kvm::KVM_SET_SREGS2, unless_protected<set_system_registers2>},
    IoctlEntry<Vcpu>{kvm::KVM_GET_DEBUGREGS, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_DEBUGREGS, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_GET_XSAVE, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_XSAVE, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_GET_XSAVE2, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_GET_XCRS, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_XCRS, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_GET_FPU, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_FPU, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_GET_LAPIC, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_LAPIC, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_GUEST_DEBUG, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_SET_TSC_KHZ, refuse_protected},
    IoctlEntry<Vcpu>{kvm::KVM_GET_TSC_KHZ, get_tsc_khz},
};

class VcpuFile : public File {
 public:
  VcpuFile(std::shared_ptr<Vm> vm, Vcpu& vcpu) : vm_(std::move(vm)), vcpu_(vcpu) {}

  int ioctl(unsigned long request, std::uintptr_t argument) override {
    if (vm_->dead) return -EIO;
    if (request == kvm::KVM_MEMORY_ENCRYPT_OP) return tdx_vcpu_command(vcpu_, argument);
    if (request == kvm::KVM_RUN && argument != 0) return -EINVAL;
    const std::lock_guard guard(vcpu_.mutex);
    if (request == kvm::KVM_GET_STATS_FD) return create_vcpu_statistics(vm_, vcpu_);
    return dispatch<Vcpu>(kVcpuIoctls, vcpu_, request, argument, -EINVAL);
  }

  std::size_t mappable_size() const override { return RunPage::kSize; }
  void kill_vm() override { vm_->dead = true; }

 private:
  const std::shared_ptr<Vm> vm_;
  Vcpu& vcpu_;
};

// In KVM's order; under Vm::lock.
int check_new_vcpu(const Vm& vm, std::uint64_t id) {
  if (id >= kMaxVcpuIds || vm.vcpus.size() >= vm.max_vcpus()) return -EINVAL;
  if (vm.max_vcpu_ids != 0 && id >= vm.max_vcpu_ids) return -EINVAL;
  if (vm.is_td) {
    if (vm.td->state() != TdState::Initialized) return -EIO;
    if (!vm.split_irqchip) return -EINVAL;
  }
  const bool taken =
      std::any_of(vm.vcpus.begin(), vm.vcpus.end(), [&](const auto& other) { return other->id == id; });
  return taken ? -EEXIST : 0;
}

}  // namespace

Vcpu::Vcpu(Vm& owner, std::uint32_t vcpu_id, RunPage page)
    : vm(owner),
      id(vcpu_id),
      run_page(std::move(page)),
      mp_state(vcpu_id == owner.boot_cpu_id || !owner.is_td ? kvm::KVM_MP_STATE_RUNNABLE
                                                            : kvm::KVM_MP_STATE_UNINITIALIZED),
      msrs(vcpu_id == owner.boot_cpu_id),
      wake_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      environment(make_run_environment(*this)) {
  if (!vm.is_td) return;
  apic = std::make_unique<LocalApic>(vm.apic_bus, id, vm.apic_bus_cycle_ns);
  apic->set_wake([this] { kick(); });
}

Vcpu::~Vcpu() = default;

void Vcpu::kick() {
  ++arrivals_;
  eventfd_write(wake_event.get(), 1);
  const std::lock_guard guard(engine_mutex_);
  if (engine_) engine_->request_interrupt_check();
}

void Vcpu::invalidate(GpaRange range) {
  const std::lock_guard guard(engine_mutex_);
  if (engine_) engine_->invalidate(range.base().value, range.size());
}

void Vcpu::wait_until_invalidated() {
  CpuEngine* made = nullptr;
  {
    const std::lock_guard guard(engine_mutex_);
    made = engine_.get();
  }
  // Without the mutex: the CPU waited for may be sending an interrupt to itself.
  if (made != nullptr) made->wait_until_invalidated();
}

CpuEngine* Vcpu::engine() {
  const std::lock_guard guard(engine_mutex_);
  if (engine_) return engine_.get();
  auto created = vm.host.processor.create_engine(*environment);
  if (!created) {
    log::error("software TDX host: vCPU {}: no CPU engine: {}", id, created.error().message());
    return nullptr;
  }
  engine_ = std::move(*created);
  environment->set_first_state(*engine_);
  return engine_.get();
}

std::shared_ptr<File> make_vcpu_file(std::shared_ptr<Vm> vm, Vcpu& vcpu) {
  return std::make_shared<VcpuFile>(std::move(vm), vcpu);
}

int create_vcpu(const std::shared_ptr<Vm>& vm, std::uintptr_t id) {
  const std::lock_guard guard(vm->lock);
  if (const int status = check_new_vcpu(*vm, id); status != 0) return status;
  UniqueFd fd(memfd_create("kvm-vcpu", MFD_CLOEXEC));
  if (!fd || ftruncate(fd.get(), RunPage::kSize) != 0) return -errno;
  auto page = RunPage::map(fd.get());
  if (!page) return -ENOMEM;
  auto vcpu = std::make_unique<Vcpu>(*vm, static_cast<std::uint32_t>(id), std::move(*page));
  Vcpu& created = *vcpu;
  vm->vcpus.push_back(std::move(vcpu));
  return vm->host.descriptors.insert(std::move(fd), make_vcpu_file(vm, created));
}

}  // namespace virttdx::softhost
