// SPDX-License-Identifier: GPL-2.0-or-later
// KVM_MEMORY_ENCRYPT_OP on a TD's VM descriptor: KVM_TDX_CAPABILITIES, _INIT_VM, _FINALIZE_VM (Linux
// Documentation/virt/kvm/x86/intel-tdx.rst), with KVM's order of checks.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "kvm/kvm_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/cpuid_argument.h"
#include "softhost/kvm/tdx_support.h"
#include "softhost/kvm/vcpu.h"
#include "softhost/kvm/vm.h"
#include "support/log.h"
#include "vmm_backend/soft_host_gaps.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kKhzPerTscUnit = 25'000;
constexpr std::uint64_t kWriteBack = 6, kFourLevels = 0x18, kFiveLevels = 0x20;  // EPTP_CONTROLS
constexpr std::size_t kCpuidCountOffset = offsetof(kvm::kvm_tdx_init_vm, cpuid);

int write_capabilities(Vm& vm, const kvm::kvm_tdx_cmd& command) {
  if (command.flags != 0) return -EINVAL;
  kvm::kvm_cpuid2 room{};
  constexpr std::size_t kCountAt = offsetof(kvm::kvm_tdx_capabilities, cpuid);
  if (const int status = read_argument(command.data + kCountAt, room); status != 0) return status;
  const auto entries = configurable_cpuid(vm.host.module);
  if (room.nent < entries.size()) return -E2BIG;
  kvm::kvm_tdx_capabilities result{};
  result.supported_attrs = supported_attributes(vm.host);
  result.supported_xfam = vm.host.module.xfam_fixed0();
  if (result.supported_attrs == 0 || result.supported_xfam == 0) return -EIO;
  result.user_tdvmcallinfo_1_r11 = vm.host.processor.user_tdvmcallinfo_1_r11;
  result.user_tdvmcallinfo_1_r12 = vm.host.processor.user_tdvmcallinfo_1_r12;
  result.cpuid.nent = static_cast<std::uint32_t>(entries.size());
  if (const int status = write_argument(command.data, result); status != 0) return status;
  return copy_to_caller(command.data + sizeof(result), entries.data(),
                        entries.size() * sizeof(kvm::kvm_cpuid_entry2));
}

/// What KVM_TDX_INIT_VM was given.
struct InitArgument {
  kvm::kvm_tdx_init_vm fixed{};
  std::vector<kvm::kvm_cpuid_entry2> cpuid;
};

int read_init_argument(std::uintptr_t address, InitArgument& argument) {
  std::uint32_t count = 0;
  if (const int status = read_argument(address + kCpuidCountOffset, count); status != 0) return status;
  if (count > kvm::KVM_MAX_CPUID_ENTRIES) return -E2BIG;
  if (const int status = read_argument(address, argument.fixed); status != 0) return status;
  const std::uintptr_t entries = address + sizeof(argument.fixed);
  if (const int status = read_cpuid_entries(entries, count, argument.cpuid); status != 0) return status;
  for (const std::uint64_t reserved : argument.fixed.reserved)
    if (reserved != 0) return -EINVAL;
  return argument.fixed.cpuid.padding != 0 || argument.fixed.cpuid.nent != count ? -EINVAL : 0;
}

/// 48 or 52 as CPUID 0x80000008.EAX[23:16] asks for; 0: neither.
unsigned requested_gpaw(const InitArgument& argument) {
  const auto* const entry = find_cpuid_entry(argument.cpuid, 0x80000008, 0);
  const unsigned bits = entry == nullptr ? 0 : (entry->eax >> 16) & 0xFF;
  return bits == 48 || bits == 52 ? bits : 0;
}

// Every entry that was passed must be a leaf that the module lets the VMM configure.
int fill_cpuid_config(const TdxModule& module, const InitArgument& argument, TdParameters& parameters) {
  std::size_t matched = 0;
  for (std::size_t i = 0; i < parameters.cpuid_config.size(); ++i) {
    const auto& configurable = module.cpuid_config_table()[i];
    if (!configurable.offered) continue;
    const std::uint32_t index = configurable.subleaf == tdx::kNoSubleaf ? 0 : configurable.subleaf;
    const auto* const entry = find_cpuid_entry(argument.cpuid, configurable.leaf, index);
    if (entry == nullptr) continue;
    if (has_unsupported_cpuid_bit(*entry)) return -EINVAL;
    ++matched;
    parameters.cpuid_config[i] = {.eax = entry->eax, .ebx = entry->ebx, .ecx = entry->ecx, .edx = entry->edx};
    // GPAW travels in CONFIG_FLAGS.
    if (configurable.leaf == 0x80000008) parameters.cpuid_config[i].eax &= 0xFF00FFFF;
  }
  return matched == argument.cpuid.size() ? 0 : -EINVAL;
}

void copy_measurement(MeasurementValue& to, const std::uint64_t (&from)[6]) {
  static_assert(sizeof(from) == sizeof(to));
  std::memcpy(to.data(), from, sizeof(from));
}

int make_parameters(const Vm& vm, const InitArgument& argument, TdParameters& parameters) {
  const TdxModule& module = vm.host.module;
  if ((argument.fixed.attributes & ~supported_attributes(vm.host)) != 0) return -EINVAL;
  if ((argument.fixed.xfam & ~module.xfam_fixed0()) != 0) return -EINVAL;
  const unsigned gpaw = requested_gpaw(argument);
  if (gpaw == 0 || (gpaw == 52 && !module.five_level_ept())) return -EINVAL;
  parameters.attributes = argument.fixed.attributes;
  parameters.xfam = argument.fixed.xfam | tdx::xfam::kFixed1;
  parameters.max_vcpus = static_cast<std::uint16_t>(vm.max_vcpus());
  // Unlike Linux, without NO_RBP_MOD: it refuses TDVMCALLs that pass RBP (TDX Module ABI, TDG.VP.VMCALL), as
  // edk2's did before edk2-stable202405 (TianoCore bug 4696). begin_vmcall() warns of such a guest instead.
  parameters.config_flags = gpaw == 52 ? std::uint64_t{1} << tdx::config_flag::kGpaw : 0;
  parameters.eptp_controls = kWriteBack | (gpaw == 52 ? kFiveLevels : kFourLevels);
  parameters.tsc_frequency = static_cast<std::uint16_t>(vm.tsc_khz / kKhzPerTscUnit);
  copy_measurement(parameters.mr_config_id, argument.fixed.mrconfigid);
  copy_measurement(parameters.mr_owner, argument.fixed.mrowner);
  copy_measurement(parameters.mr_owner_config, argument.fixed.mrownerconfig);
  return fill_cpuid_config(module, argument, parameters);
}

/// TDH.MNG.CREATE with the key configured in every package.
int create_td(Vm& vm) {
  if (!vm.host.processor.every_package_online) return -EIO;
  const TdxStatus status =
      vm.host.faults.seamcall(FaultPoint::TdhMngCreate, [] { return tdx::status::kSuccess; });
  if (status == tdx::status::kSuccess) return 0;
  if ((status & tdx::status::kClassMask) == tdx::status::kRndNoEntropy) return -EAGAIN;
  vm.dead = true;
  return -EIO;
}

int create_td_with_key(Vm& vm) {
  if (const int status = vm.take_key_id(); status != 0) return status;
  const int status = create_td(vm);
  if (status != 0) vm.release_key_id();
  return status;
}

// A played host's CPU has instructions that the engine lacks, and the TD's CPUID tells of them.
void warn_of_gaps(const Vm& vm) {
  const auto names = soft_host_gaps(vm.td->cpuid().values());
  if (names.empty()) return;
  log::warning("software TDX host: it shows the TD CPU features whose instructions it cannot execute: {}",
               fmt::join(names, ", "));
}

int init_vm(Vm& vm, kvm::kvm_tdx_cmd& command) {
  if (vm.td->state() != TdState::Uninitialized || command.flags != 0) return -EINVAL;
  InitArgument argument;
  if (const int status = read_init_argument(command.data, argument); status != 0) return status;
  TdParameters parameters;
  if (const int status = make_parameters(vm, argument, parameters); status != 0) return status;
  if (const int status = create_td_with_key(vm); status != 0) return status;
  const TdxStatus status =
      vm.host.faults.seamcall(FaultPoint::TdhMngInit, [&] { return vm.td->mng_init(parameters).status; });
  if (status == tdx::status::kSuccess) {
    warn_of_gaps(vm);
    return 0;
  }
  if ((status & tdx::status::kClassMask) == tdx::status::kOperandInvalid) {
    vm.release_key_id();
    command.hw_error = status;
    return -EINVAL;
  }
  vm.dead = true;
  return -EIO;
}

int finalize_vm(Vm& vm, kvm::kvm_tdx_cmd& command) {
  if (vm.td->state() != TdState::Initialized) return -EINVAL;
  const TdxStatus status =
      vm.host.faults.seamcall(FaultPoint::TdhMrFinalize, [&] { return vm.td->mr_finalize(); });
  if (status == tdx::status::kSuccess) return 0;
  command.hw_error = status;
  if ((status & tdx::status::kClassMask) == tdx::status::kOperandBusy) return -EBUSY;
  vm.dead = true;
  return -EIO;
}

}  // namespace

int tdx_vm_command(Vm& vm, std::uintptr_t argument) {
  if (!vm.is_td) return -ENOTTY;
  kvm::kvm_tdx_cmd command{};
  if (const int status = read_argument(argument, command); status != 0) return status;
  if (command.hw_error != 0) return -EINVAL;
  if (command.id == kvm::KVM_TDX_CAPABILITIES) return write_capabilities(vm, command);
  if (command.id != kvm::KVM_TDX_INIT_VM && command.id != kvm::KVM_TDX_FINALIZE_VM) return -EINVAL;
  const VmStateLock lock(vm);
  const int result = command.id == kvm::KVM_TDX_INIT_VM ? init_vm(vm, command) : finalize_vm(vm, command);
  // hw_error is told also, and only, with a failure.
  const int copied = write_argument(argument, command);
  return copied != 0 ? copied : result;
}

}  // namespace virttdx::softhost
