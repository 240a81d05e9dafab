// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/explain/log_symptoms.h"

#include <algorithm>

namespace virttdx {
namespace {

using enum KvmRequest;

struct Symptom {
  std::string_view phrase;  ///< in lower case
  KvmRequest request;
  const char* id;
  const char* sentence;
  const char* remedy;
};

constexpr Symptom kSymptoms[] = {
    {"vm-type tdx not supported by kvm", CreateVm, "create-vm.no-tdx",
     "KVM does not offer the VM type TDX (5)",
     "use an Intel CPU with TDX, enable TDX in the firmware, run Linux 6.16 or later with "
     "CONFIG_KVM_INTEL_TDX and "
     "kvm_intel.tdx=1; out-of-tree TDX kernels number the VM type otherwise and want their own QEMU"},
    {"all packages need to have online cpu to create td", TdxInitVm, "init-vm.offline-package",
     "a CPU package of the host has no online CPU", "bring one CPU of each package online"},
    {"not enabled by bios", Unknown, "host.not-enabled", "the firmware has not enabled TDX",
     "enable TME, TME-MT, TDX, the SEAM loader and a TDX key split in the firmware's setup; some need all "
     "DIMM slots "
     "populated alike"},
    {"failed to initialize tdx module", Unknown, "host.module",
     "the kernel could not initialise the TDX module",
     "explain the SEAMCALL line before it; update the firmware, which brings the module"},
    {"module initialization failed", Unknown, "host.module", "the kernel could not initialise the TDX module",
     "explain the SEAMCALL line before it; update the firmware, which brings the module"},
    {"tdx doesn't support requested feature", Unknown, "qemu.feature-off",
     "QEMU asked for a CPUID bit that the TD does not get", "turn the feature off in the CPU definition"},
    {"tdx forcibly sets the feature", Unknown, "qemu.feature-on",
     "the TDX module sets a CPUID bit that QEMU did not ask for",
     "turn the feature on in the CPU definition"},
    {"for tdx vm (kvm supported", TdxInitVm, "init-vm.attributes",
     "an ATTRIBUTES bit is not offered by this KVM", "use only what the line lists in parentheses"},
    {"qemu unsupported td attribute bits", TdxInitVm, "qemu.attributes",
     "QEMU knows SEPT_VE_DISABLE, PKS and PERFMON only, no DEBUG", "clear the other ATTRIBUTES bits"},
    {"tdx vm requires kernel_irqchip to be split", CreateVcpu, "create-vcpu.irqchip",
     "the TD's interrupt controller is not split", "start QEMU with kernel-irqchip=split"},
    {"tdx vm doesn't support smm", Unknown, "qemu.smm", "a TD has no system management mode",
     "turn SMM off (QEMU: smm=off; libvirt: <smm state='off'/>)"},
    {"tdx vm doesn't support pic", Unknown, "qemu.pic", "a TD has no 8259 interrupt controller",
     "turn it off (QEMU: pic=off)"},
    {"named cpu model is not supported for tdx", Unknown, "qemu.cpu-model",
     "QEMU runs TDs with its CPU models host and max only", "use -cpu host"},
    {"tdx requires guest cpu physical bits", Unknown, "qemu.physical-bits",
     "the TD's physical address width differs from the host's", "use host-phys-bits=on"},
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

}  // namespace

std::optional<TdxCause> symptom_in(std::string_view line) {
  const std::string text = lower(line);
  const auto* const found = std::ranges::find_if(
      kSymptoms, [&](const Symptom& row) { return text.find(row.phrase) != std::string_view::npos; });
  if (found == std::end(kSymptoms)) return std::nullopt;
  return TdxCause{found->request, found->id, found->sentence, found->remedy, TdxCertainty::Certain};
}

}  // namespace virttdx
