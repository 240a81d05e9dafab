// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/capabilities.h"

#include <cerrno>
#include <filesystem>

#include "kvm/cpuid_buffer.h"
#include "support/file.h"
#include "tdx/explained.h"
#include "tdx/key_ids.h"

namespace virttdx {
namespace {

constexpr const char* kTdxParameter = "/sys/module/kvm_intel/parameters/tdx";
constexpr std::uint32_t kAddressSizes = 0x80000008;
constexpr std::uint32_t kGpaBitsOfFourLevels = 48;

std::string explain_open(const Error& error) {
  if (error.system_errno() == ENOENT)
    return "/dev/kvm does not exist: enable VT-x and TDX in the firmware and load kvm_intel";
  if (error.system_errno() == EACCES || error.system_errno() == EPERM)
    return "/dev/kvm: permission denied: run as root or as a member of group kvm";
  return error.message();
}

void add_cpuid(HostCapabilities& host, CpuidEntries supported) {
  host.supported_cpuid = std::move(supported);
  if (const CpuidEntry* sizes = find_cpuid(host.supported_cpuid, kAddressSizes, 0)) {
    host.physical_address_bits = sizes->eax & 0xFF;
    // KVM_GET_SUPPORTED_CPUID gives the guest-physical bits that its page tables can map in EAX[23:16]
    // (Documentation/virt/kvm/api.rst): more than 48 takes five levels.
    host.five_level_ept = (sizes->eax >> 16 & 0xFF) > kGpaBitsOfFourLevels;
  }
}

void add_tdx(HostCapabilities& host, TdxCapabilities tdx) {
  host.supported_attributes = tdx.supported_attributes;
  host.supported_xfam = tdx.supported_xfam;
  host.configurable_cpuid = std::move(tdx.configurable_cpuid);
  host.user_tdvmcallinfo_1_r11 = tdx.user_tdvmcallinfo_1_r11;
  host.user_tdvmcallinfo_1_r12 = tdx.user_tdvmcallinfo_1_r12;
}

Result<> fill(HostCapabilities& host, KernelCalls& kernel) {
  auto kvm = Kvm::open(kernel);
  if (!kvm) return fail(Error::Code::Unsupported, "{}", explain_open(kvm.error()));
  add_cpuid(host, TRY(kvm->supported_cpuid()));
  if (!kvm->has_vm_type(kvm::KVM_X86_TDX_VM))
    return fail(Error::Code::Unsupported, "{}", explain_missing_tdx());
  auto vm = TRY(explained(kvm->create_vm(kvm::KVM_X86_TDX_VM)));
  add_tdx(host, TRY(explained(read_tdx_capabilities(vm))));
  host.max_vcpus = static_cast<std::uint32_t>(vm.check_extension(kvm::KVM_CAP_MAX_VCPUS));
  host.tsc_khz = TRY(vm.tsc_khz());
  return {};
}

}  // namespace

std::string explain_missing_tdx() {
  const auto parameter = read_text_file(kTdxParameter, kPageSize);
  if (!parameter)
    return fmt::format(
        "KVM lists no VM type TDX and {} does not exist: a Linux kernel of 6.16 or later with "
        "CONFIG_KVM_INTEL_TDX on an Intel CPU with TDX is needed",
        kTdxParameter);
  if (!parameter->starts_with('Y') && !parameter->starts_with('1'))
    return fmt::format(
        "KVM lists no VM type TDX because {} is off: boot with kvm_intel.tdx=1, with TDX enabled in the "
        "firmware; the kernel log's lines with \"tdx\" say what is missing",
        kTdxParameter);
  return "KVM lists no VM type TDX although kvm_intel.tdx is on: the kernel log's lines with \"tdx\" say why "
         "the TDX "
         "module was not initialised";
}

Result<TdxCapabilities> read_tdx_capabilities(KvmVm& vm) {
  auto buffer =
      TRY(call_with_growing_buffer<kvm::kvm_tdx_capabilities>("KVM_TDX_CAPABILITIES", [&](auto& room) {
        return vm.tdx_command(kvm::KVM_TDX_CAPABILITIES, 0, &room.header()).answer;
      }));
  const kvm::kvm_tdx_capabilities& header = buffer.header();
  return TdxCapabilities{header.supported_attrs,
                         header.supported_xfam,
                         header.kernel_tdvmcallinfo_1_r11,
                         header.kernel_tdvmcallinfo_1_r12,
                         header.user_tdvmcallinfo_1_r11,
                         header.user_tdvmcallinfo_1_r12,
                         buffer.entries()};
}

HostCapabilities known_host(const Kvm& kvm, const TdxCapabilities& tdx) {
  HostCapabilities host;
  add_tdx(host, tdx);
  if (auto cpuid = kvm.supported_cpuid()) add_cpuid(host, std::move(*cpuid));
  return host;
}

HostCapabilities read_host_capabilities(KernelCalls& kernel, HostKind kind) {
  HostCapabilities host;
  host.kind = kind;
  const auto filled = fill(host, kernel);
  host.tdx_supported = filled.has_value();
  if (kind == HostKind::Kvm) {
    const KeyIds key_ids = read_key_ids();
    host.key_ids = key_ids.capacity;
    host.key_ids_used = key_ids.used;
  }
  if (!filled) host.tdx_unsupported_reason = filled.error().message();
  return host;
}

}  // namespace virttdx
