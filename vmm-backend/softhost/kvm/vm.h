// SPDX-License-Identifier: GPL-2.0-or-later
// One virtual machine: what its descriptor, its vCPUs and its guest_memfds share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "softhost/apic/apic_bus.h"
#include "softhost/cpu/code_pages.h"
#include "softhost/kvm/fault_injector.h"
#include "softhost/kvm/file_table.h"
#include "softhost/kvm/gsi_routing.h"
#include "softhost/kvm/ioeventfd.h"
#include "softhost/kvm/irqfd.h"
#include "softhost/kvm/memory_attributes.h"
#include "softhost/kvm/memory_slots.h"
#include "softhost/kvm/processor.h"
#include "softhost/module/td.h"

namespace virttdx::softhost {

class Vcpu;

/// What the descriptors of one host share. Outlives its VMs.
struct HostParts {
  Processor processor;
  TdxModule module;
  FaultInjector faults;
  std::atomic<std::uint32_t> key_ids_used = 0;
  FileTable descriptors;

  HostParts(Processor parts, std::vector<SoftFault> faults_on_demand)
      : processor(std::move(parts)),
        module(processor.cpuid, processor.module),
        faults(std::move(faults_on_demand)) {}
};

/// Order of locks: Vm::lock, then Vcpu::mutex of each vCPU, then Vm::memory_lock, then the leaves.
/// Lives until the last descriptor of the VM, its vCPUs and its guest_memfds is closed.
class Vm {
 public:
  Vm(HostParts& host_parts, bool td_vm);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  /// A key id of the host, from KVM_TDX_INIT_VM to the VM's end: 0, or ENOSPC as -errno when none is free,
  /// EBUSY when the cgroup may have no more. Under `lock`.
  int take_key_id();
  /// After a KVM_TDX_INIT_VM that failed and may be repeated. Under `lock`.
  void release_key_id();
  std::uint32_t max_vcpus() const { return is_td ? host.processor.present_cpus : kMaxVcpus; }
  /// The guest's TSC at a time of monotonic_ns(), and the other way round.
  std::uint64_t tsc_at(std::uint64_t now_ns) const;
  std::uint64_t time_of_tsc(std::uint64_t tsc) const;

  /// Takes a range's private pages away from the guest, invalidates them and gives their memory back. Under
  /// `lock` and an exclusive memory_lock. `range` has no SHARED bit.
  void remove_private_pages(GpaRange range);
  /// Makes every vCPU look at the range anew; none reaches what was there once it returns. Under `lock`;
  /// `memory_lock` may be held.
  void invalidate(GpaRange range);

  HostParts& host;
  const bool is_td;
  const std::unique_ptr<Td> td;  ///< null for an ordinary VM
  /// Every later ioctl answers EIO.
  std::atomic<bool> dead = false;
  std::atomic<bool> rbp_passed = false;            ///< by a TDVMCALL: the log says so once
  std::atomic<std::uint64_t> hypercall_exits = 0;  ///< KVM_CAP_EXIT_HYPERCALL
  std::atomic<std::uint32_t> tsc_khz;
  const std::uint64_t created_ns = monotonic_ns();  ///< the guest's TSC is 0 then
  ApicBus apic_bus;
  GsiRouting gsi_routing;
  IoEvents io_events;
  Irqfds irqfds;
  CodePages code_pages;

  std::mutex lock;  // everything below, except what memory_lock guards
  bool split_irqchip = false;
  std::uint64_t x2apic_api = 0;
  std::uint64_t apic_bus_cycle_ns = 1;
  std::uint32_t max_vcpu_ids = 0;  // 0: not limited by KVM_CAP_MAX_VCPU_ID
  std::uint32_t boot_cpu_id = 0;
  std::vector<std::unique_ptr<Vcpu>> vcpus;
  bool has_key_id = false;

  std::shared_mutex memory_lock;
  MemorySlots slots;            // guarded by memory_lock
  MemoryAttributes attributes;  // guarded by memory_lock
  /// All memory of guest_memfds: stays mapped while a vCPU may still reach it.
  std::vector<std::shared_ptr<GuestMemory>> guest_memories;  // guarded by memory_lock
};

/// Holds Vm::lock and the mutex of every vCPU, as the VM-wide TDX commands do.
class VmStateLock {
 public:
  explicit VmStateLock(Vm& vm);

 private:
  std::unique_lock<std::mutex> vm_;
  std::vector<std::unique_lock<std::mutex>> vcpus_;
};

/// The file behind a VM's descriptor.
std::shared_ptr<File> make_vm_file(std::shared_ptr<Vm> vm);

/// MRTD of the TD whose descriptor the file is; nothing before FINALIZE or for another file.
std::optional<MeasurementValue> vm_measurement(const File& file);
/// SoftHost::td_report().
std::optional<std::vector<std::byte>> vm_td_report(const File& file);

// Ioctls of a VM's descriptor, by family.
/// `vm` is null for /dev/kvm.
int check_extension(const Processor& processor, const Vm* vm, std::uintptr_t capability);
int enable_capability(Vm& vm, std::uintptr_t argument);
int set_vm_tsc_khz(Vm& vm, std::uintptr_t khz);
int get_vm_tsc_khz(Vm& vm, std::uintptr_t argument);
int set_boot_cpu_id(Vm& vm, std::uintptr_t id);
int create_vcpu(const std::shared_ptr<Vm>& vm, std::uintptr_t id);
int create_guest_memfd(const std::shared_ptr<Vm>& vm, std::uintptr_t argument);
int set_user_memory_region(Vm& vm, std::uintptr_t argument);
int set_user_memory_region2(Vm& vm, std::uintptr_t argument);
int set_memory_attributes(Vm& vm, std::uintptr_t argument);
int get_dirty_log(Vm& vm, std::uintptr_t argument);
int tdx_vm_command(Vm& vm, std::uintptr_t argument);
int set_gsi_routing(Vm& vm, std::uintptr_t argument);
int signal_msi(Vm& vm, std::uintptr_t argument);
int irq_line(Vm& vm, std::uintptr_t argument);
int assign_irqfd(Vm& vm, std::uintptr_t argument);
int assign_ioeventfd(Vm& vm, std::uintptr_t argument);

}  // namespace virttdx::softhost
