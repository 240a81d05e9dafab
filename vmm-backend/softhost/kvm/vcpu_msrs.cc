// SPDX-License-Identifier: GPL-2.0-or-later
// MSRs of a vCPU: KVM_GET_MSRS, KVM_SET_MSRS and TDVMCALL<RDMSR/WRMSR>.
#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "softhost/apic/apic_spec.h"
#include "softhost/kvm/caller_memory.h"
#include "softhost/kvm/run_environment.h"
#include "softhost/kvm/vcpu.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kMaxMsrsPerCall = 256;

// The x2APIC registers that a TD's guest reaches through KVM; TPR, PPR, EOI, ISR, TMR and IRR it accesses
// itself.
constexpr std::array kApicMsrs = {
    apic::kId,          apic::kVersion,        apic::kLdr,          apic::kSpuriousVector,
    apic::kErrorStatus, apic::kLvtCmci,        apic::kIcr,          apic::kLvtTimer,
    apic::kLvtThermal,  apic::kLvtPerformance, apic::kLvtLint0,     apic::kLvtLint1,
    apic::kLvtError,    apic::kInitialCount,   apic::kCurrentCount, apic::kDivide};

bool is_apic_msr(std::uint32_t index) {
  return std::find(kApicMsrs.begin(), kApicMsrs.end(), index) != kApicMsrs.end();
}

// Copies the caller's list in; `entries` keeps it.
int read_msr_list(std::uintptr_t argument, std::vector<kvm::kvm_msr_entry>& entries) {
  kvm::kvm_msrs header{};
  if (const int status = read_argument(argument, header); status != 0) return status;
  if (header.nmsrs >= kMaxMsrsPerCall) return -E2BIG;
  entries.resize(header.nmsrs);
  return copy_from_caller(entries.data(), argument + sizeof(header),
                          entries.size() * sizeof(kvm::kvm_msr_entry));
}

}  // namespace

std::optional<std::uint64_t> read_kvm_msr(Vcpu& vcpu, std::uint32_t index, MsrAccess access) {
  if (vcpu.apic) {
    if (index == apic::kTscDeadlineMsr) return vcpu.apic->tsc_deadline();
    if (is_apic_msr(index)) return vcpu.apic->read(index, monotonic_ns());
  }
  return vcpu.msrs.read(index, access);
}

bool write_kvm_msr(Vcpu& vcpu, std::uint32_t index, std::uint64_t value, MsrAccess access) {
  if (!vcpu.apic) return vcpu.msrs.write(index, value, access);
  if (index != apic::kTscDeadlineMsr && !is_apic_msr(index)) return vcpu.msrs.write(index, value, access);
  bool written = true;
  if (index == apic::kTscDeadlineMsr)
    vcpu.apic->set_tsc_deadline(value, vcpu.vm.time_of_tsc(value));
  else
    written = vcpu.apic->write(index, value, monotonic_ns());
  vcpu.environment->timer_changed();
  return written;
}

int get_msrs(Vcpu& vcpu, std::uintptr_t argument) {
  std::vector<kvm::kvm_msr_entry> entries;
  if (const int status = read_msr_list(argument, entries); status != 0) return status;
  std::size_t done = 0;
  for (; done < entries.size(); ++done) {
    const auto value = read_kvm_msr(vcpu, entries[done].index, MsrAccess::Vmm);
    if (!value) break;
    entries[done].data = *value;
  }
  const int status = copy_to_caller(argument + sizeof(kvm::kvm_msrs), entries.data(),
                                    entries.size() * sizeof(kvm::kvm_msr_entry));
  return status != 0 ? status : static_cast<int>(done);
}

int set_msrs(Vcpu& vcpu, std::uintptr_t argument) {
  std::vector<kvm::kvm_msr_entry> entries;
  if (const int status = read_msr_list(argument, entries); status != 0) return status;
  std::size_t done = 0;
  while (done < entries.size() &&
         write_kvm_msr(vcpu, entries[done].index, entries[done].data, MsrAccess::Vmm))
    ++done;
  return static_cast<int>(done);
}

int set_up_machine_checks(Vcpu& vcpu, std::uintptr_t argument) {
  std::uint64_t capabilities = 0;
  if (const int status = read_argument(argument, capabilities); status != 0) return status;
  return vcpu.msrs.machine_checks.set_up(capabilities) ? 0 : -EINVAL;
}

}  // namespace virttdx::softhost
