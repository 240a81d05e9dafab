// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

constexpr std::uint64_t kStateIncorrect = 0xC000050800000000, kNotReady = 0xC000050500000000;
constexpr std::uint64_t kIncorrectCpuid = 0xC000090000000000, kInconsistentMsr = 0xC000092000000000,
                        kIncorrectMsr = 0xC000092100000000;
constexpr std::uint64_t kNoEntropy = 0x8000020300000000, kSysBusy = 0x8000020200000000;
constexpr std::uint64_t kPageMetadataIncorrect = 0xC000030000000000, kHkidNotFree = 0xC000082000000000;
constexpr std::uint64_t kFlushVpNotDone = 0x8000082400000000, kKeyGeneration = 0x8000080000000000;
constexpr std::uint64_t kNoSeamModule = 0x8000FF00FFFF0000, kSeamGp = 0x8000FF0000000000;
constexpr std::uint64_t kTdFatal = 0xE000060400000000, kNonRecoverableTd = 0x6000000200000000;
constexpr std::uint64_t kLimitCpuid = 0xC000090100000000;
// The error codes that Linux itself makes (arch/x86/include/asm/tdx.h): TDX_SW_ERROR and a trap's number.
constexpr std::uint64_t kSoftwareErrorMask = 0xFFFFFFFFFFFF0000;

constexpr CauseRow kRows[] = {
    {Seamcall, 0, exactly(kNoSeamModule), "status.no-module", "no TDX module is loaded (VMFailInvalid)",
     "enable TDX in the firmware, which loads the module; update the firmware"},
    {Seamcall,
     0,
     {kSoftwareErrorMask, kSeamGp},
     "status.trap",
     "the SEAMCALL instruction itself trapped: TDX is not enabled by the firmware, or VMX is off",
     "enable TDX in the firmware, and load kvm_intel"},
    {Seamcall, 0, status_class(kNotReady), "status.not-ready",
     "the TDX module is not initialised, or does not know the request in this state: TDX modules before 1.5 "
     "answer so to "
     "current kernels",
     "update the TDX module to 1.5 or later (with the firmware, or /boot/efi/EFI/TDX)"},
    {Seamcall, 0, status_class(kStateIncorrect), "status.system-state",
     "the TDX module is in another state of its start-up than the request needs", "restart the host"},
    {Seamcall, 0, status_class(kIncorrectCpuid), "status.cpuid",
     "the CPU reports a CPUID value that the TDX module does not accept: usually old firmware or microcode",
     "update the firmware and look at its TDX settings"},
    {Seamcall, 0, status_class(kLimitCpuid), "status.cpuid-limit",
     "the firmware limits CPUID (Limit CPUID Maximum)", "turn that off in the firmware's setup"},
    {Seamcall, 0, status_class(kInconsistentMsr), "status.msr-differs",
     "an MSR differs between CPUs; the status's low 32 bits are its number", "update the firmware"},
    {Seamcall, 0, status_class(kIncorrectMsr), "status.msr",
     "an MSR has a value that the TDX module does not accept; the status's low 32 bits are its number",
     "update the firmware and look at its TDX settings (0x122 is IA32_TSX_CTRL)"},
    {Seamcall, 0, status_class(kNoEntropy), "status.entropy",
     "the CPU's random number generator gave nothing (busy)",
     "try again; if it stays, a program on the host exhausts RDRAND or RDSEED"},
    {Seamcall, 0, status_class(kKeyGeneration), "status.key",
     "the CPU could not make a memory key (too little entropy)", "try again"},
    {Seamcall, 0, status_class(tdx::status::kOperandBusy), "status.busy",
     "another CPU holds the object in the TDX module",
     "KVM tries again by itself; harmless unless a request failed"},
    {Seamcall, 0, status_class(kSysBusy), "status.system-busy",
     "the TDX module does one request at a time here",
     "KVM tries again by itself; harmless unless a request failed"},
    {Seamcall, 0, status_class(kPageMetadataIncorrect), "status.page",
     "the page is not of the kind that the request needs (PAMT); at the end of a TD it means one that was "
     "freed before",
     "at a TD's end update the kernel; else report it with the whole kernel log"},
    {Seamcall, 0, status_class(kHkidNotFree), "status.key-id", "the key id is still in use by another TD",
     "update the kernel; restart the host if no TD starts any more"},
    {Seamcall, 0, status_class(kFlushVpNotDone), "status.flush",
     "a vCPU of the TD is still loaded on a CPU while its key id is given back", "update the kernel"},
    {Seamcall, 0, status_class(tdx::status::kNoVcpus), "status.no-vcpus", "no vCPU of the TD is initialised",
     "call KVM_TDX_INIT_VCPU for each vCPU before KVM_TDX_FINALIZE_VM"},
    {Seamcall, 0, status_class(tdx::status::kX2apicIdNotUnique), "status.x2apic-id",
     "two vCPUs of the TD have the same x2APIC id", "give each its own vCPU id"},
    {Seamcall, 0, status_class(tdx::status::kMaxVcpusExceeded), "status.vcpus",
     "the TD has as many vCPUs as it was created for",
     "use fewer, or raise KVM_CAP_MAX_VCPUS before INIT_VM"},
    {Seamcall, 0, status_class(tdx::status::kCpuidLeaf1fFormatUnrecognized), "status.leaf-1f",
     "CPUID 0x1F describes no topology that the TDX module knows: it wants level types SMT, core, then "
     "rising ones",
     "mend the leaf, or leave it out for the host's own topology"},
    {Seamcall, 0, status_class(tdx::status::kOpStateIncorrect), "status.td-state",
     "the TD is in another state than the request needs (initialised, finalized, running)",
     "keep the order INIT_VM, INIT_VCPU, INIT_MEM_REGION, FINALIZE_VM, KVM_RUN"},
    {Seamcall, 0, status_class(tdx::status::kEptEntryNotFree), "status.mapped",
     "the guest page is mapped already",
     "add each page once: look at the firmware's sections with 'virt-tdx firmware'"},
    {Seamcall, 0, status_class(tdx::status::kEptEntryFree), "status.not-mapped",
     "the guest page is not mapped", "add it first"},
    {Seamcall, 0, status_class(kTdFatal), "status.td-fatal", "an earlier failure made the TD dead",
     "destroy it; the first failure in the log is the cause"},
    {Seamcall, 0, status_class(kNonRecoverableTd), "status.td-gone",
     "the TD cannot go on: it broke a rule of the TDX module, or its memory failed its integrity check",
     "look for machine checks in the kernel log"},
    {Seamcall, 0, status_class(tdx::status::kNonRecoverableVcpu), "status.vcpu-gone",
     "the vCPU cannot go on (triple fault, or a rule of the TDX module was broken)",
     "look at the guest's console; the fault is in the guest"},
};

}  // namespace

CauseRows status_causes() { return kRows; }

}  // namespace virttdx
