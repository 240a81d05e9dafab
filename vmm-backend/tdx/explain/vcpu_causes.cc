// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

constexpr CauseRow kRows[] = {
    {CreateVcpu, EIO, kNoStatus, "create-vcpu.state", "the TD is not initialised, or is finalized already",
     "create vCPUs between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM"},
    {CreateVcpu, EINVAL, kNoStatus, "create-vcpu.irqchip", "the TD's interrupt controller is not split",
     "enable KVM_CAP_SPLIT_IRQCHIP first (QEMU: kernel-irqchip=split)"},
    {CreateVcpu, EINVAL, kNoStatus, "create-vcpu.number",
     "the id is too large, or the VM has as many vCPUs as it may",
     "a TD has at most as many vCPUs as the host has CPUs"},
    {CreateVcpu, EEXIST, kNoStatus, "create-vcpu.twice", "a vCPU of that id exists",
     "number vCPUs from 0 on"},
    {CreateVcpu, ENOMEM, kNoStatus, "create-vcpu.memory", "the host is out of memory",
     "free memory on the host"},
    {SetCpuid2, EINVAL, kNoStatus, "set-cpuid.values",
     "KVM refused the vCPU's CPUID, or the vCPU has run already with another one",
     "set it once, before the first KVM_RUN"},
    {SetCpuid2, E2BIG, kNoStatus, "set-cpuid.count", "there are more than 256 entries", "pass fewer"},
    {TdxInitVcpu, EINVAL, kNoStatus, "init-vcpu.state", "the TD is not initialised, or is finalized already",
     "call it between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM"},
    {TdxInitVcpu, EINVAL, kNoStatus, "init-vcpu.flags", "flags are not 0", "pass flags 0"},
    {TdxInitVcpu, EINVAL, kNoStatus, "init-vcpu.twice", "the vCPU is initialised already",
     "call it once a vCPU"},
    {TdxInitVcpu, EINVAL, kNoStatus, "init-vcpu.x2apic", "the vCPU's CPUID leaf 1 lacks x2APIC (ECX bit 21)",
     "call KVM_SET_CPUID2 with it first"},
    {TdxInitVcpu, ENOMEM, kNoStatus, "init-vcpu.memory", "the host is out of memory",
     "free memory on the host"},
    {TdxInitVcpu, EIO, kNoStatus, "init-vcpu.module",
     "the TDX module refused TDH.VP.CREATE, ADDCX or INIT: two vCPUs with one x2APIC id, or more than it "
     "allows",
     "read the kernel log's SEAMCALL line; the VM is of no further use"},
    {TdxGetCpuid, EINVAL, kNoStatus, "get-cpuid.state", "the TD is not initialised, or is finalized already",
     "call it between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM"},
    {TdxGetCpuid, EFAULT, kNoStatus, "get-cpuid.address", "the structure cannot be read or written",
     "pass a writable struct kvm_cpuid2 with nent set"},
    {TdxGetCpuid, E2BIG, kNoStatus, "get-cpuid.room", "there is less room than the TD has CPUID leaves",
     "try again with the room that nent says now"},
    {TdxGetCpuid, EIO, kNoStatus, "get-cpuid.module", "the TDX module did not tell the first leaf",
     "read the kernel log's SEAMCALL line"},
    {Run, EINVAL, kNoStatus, "run.state",
     "the vCPU is not initialised, the TD is not finalized, or registers were to be synchronised",
     "call KVM_TDX_INIT_VCPU and KVM_TDX_FINALIZE_VM first"},
    {Run, EIO, kNoStatus, "run.dead",
     "the TD is dead: it touched a private page that it had not accepted, or the TDX module gave it up",
     "read the kernel log; TDs with SEPT_VE_DISABLE must accept memory before they use it"},
    {Run, EFAULT, kNoStatus, "run.memory", "the TD touched private memory that no slot backs",
     "compare the exit's address with the memory layout"},
    {Run, EHWPOISON, kNoStatus, "run.poison", "a page of the host's memory is defective",
     "the kernel log names it; replace the module"},
};

}  // namespace

CauseRows vcpu_causes() { return kRows; }

}  // namespace virttdx
