// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

constexpr CauseRow kRows[] = {
    // KVM_TDX_CAPABILITIES
    {TdxCapabilities, EINVAL, kNoStatus, "capabilities.flags", "flags are not 0", "pass flags 0"},
    {TdxCapabilities, EFAULT, kNoStatus, "capabilities.address", "the structure cannot be read or written",
     "pass the address of a writable struct kvm_tdx_capabilities with cpuid.nent set"},
    {TdxCapabilities, E2BIG, kNoStatus, "capabilities.room",
     "there is less room than the TDX module has configurable CPUID leaves; KVM does not tell how many",
     "try again with twice the room, up to 256 entries"},
    {TdxCapabilities, EIO, kNoStatus, "capabilities.nothing",
     "the TDX module offers no attribute or no XFAM bit that this KVM supports",
     "update the TDX module or the kernel, which do not fit together"},
    // KVM_TDX_INIT_VM
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.twice", "the TD is initialised already", "call it once a VM"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.flags", "flags are not 0", "pass flags 0"},
    {TdxInitVm, EFAULT, kNoStatus, "init-vm.address", "the structure cannot be read",
     "pass the address of a struct kvm_tdx_init_vm that is followed by cpuid.nent entries"},
    {TdxInitVm, E2BIG, kNoStatus, "init-vm.too-many-entries", "there are more than 256 CPUID entries",
     "pass only leaves that KVM_TDX_CAPABILITIES lists"},
    {TdxInitVm, ENOMEM, kNoStatus, "init-vm.memory", "the host is out of memory", "free memory on the host"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.reserved", "a reserved field is not 0",
     "zero the structure first; if it was built for another kernel's TDX ABI (before 6.16), rebuild the "
     "program"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.padding",
     "cpuid.padding is not 0, or the entry count changed meanwhile", "zero the structure first"},
    {TdxInitVm, EBUSY, kNoStatus, "init-vm.vcpus", "vCPUs exist already",
     "initialise the TD before its first vCPU"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.attributes", "an ATTRIBUTES bit is not offered by this KVM",
     "use only supported_attrs of KVM_TDX_CAPABILITIES; Linux up to 7.1 offers SEPT_VE_DISABLE (bit 28) "
     "alone: no "
     "DEBUG, PKS, PERFMON (QEMU: pmu=off)"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.xfam", "an XFAM bit is not offered by this host",
     "use only supported_xfam of KVM_TDX_CAPABILITIES"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.no-guest-phys-bits", "the CPUID entries lack leaf 0x80000008",
     "pass it, with 48 or 52 in EAX[23:16]"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.guest-phys-bits",
     "CPUID 0x80000008 EAX[23:16] is neither 48 nor 52", "pass 48 or 52, the guest-physical address width"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.five-level-ept",
     "CPUID 0x80000008 EAX[23:16] is 52 and the host's CPU has no 5-level EPT", "pass 48"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.withheld-feature",
     "CPUID 0x7 sets HLE (EBX bit 4), RTM (EBX bit 11) or WAITPKG (ECX bit 5), which KVM withholds from TDs",
     "clear them"},
    {TdxInitVm, EINVAL, kNoStatus, "init-vm.cpuid-entry",
     "a CPUID entry is not one of the TDX module's configurable leaves, or is there twice",
     "pass only leaves and sub-leaves that KVM_TDX_CAPABILITIES lists on this very host: they differ between "
     "TDX "
     "modules and CPU models"},
    {TdxInitVm, ENOSPC, kNoStatus, "init-vm.no-key-id", "all private key ids of the host are in use",
     "end another TD, or give TDX more key ids in the firmware's setup (TME-MT/TDX key split)"},
    {TdxInitVm, EBUSY, kNoStatus, "init-vm.cgroup", "the cgroup's limit of TDs is reached",
     "raise \"tdx\" in misc.max of the process's cgroup, or end another TD of it"},
    {TdxInitVm, EIO, kNoStatus, "init-vm.offline-package", "a CPU package of the host has no online CPU",
     "bring one CPU of each package online"},
    {TdxInitVm, EAGAIN, kNoStatus, "init-vm.no-entropy",
     "the CPU's random number generator gave nothing (busy)",
     "try again; if it stays, a program on the host exhausts RDRAND or RDSEED"},
    {TdxInitVm, EIO, kNoStatus, "init-vm.create",
     "the TDX module refused TDH.MNG.CREATE, KEY.CONFIG or ADDCX",
     "read the kernel log's SEAMCALL line; the VM is of no further use"},
    {TdxInitVm, EIO, kNoStatus, "init-vm.leaf-1f",
     "CPUID 0x1F describes no topology that the TDX module knows: it wants level types SMT, core, then "
     "rising ones",
     "mend the leaf, or leave it out for the host's own topology"},
    {TdxInitVm, EIO, kNoStatus, "init-vm.module", "the TDX module refused TDH.MNG.INIT",
     "read the kernel log's SEAMCALL line; the VM is of no further use"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kAttributes), "init-vm.module-attributes",
     "the TDX module refused ATTRIBUTES: a bit it does not allow, or MIGRATABLE together with DEBUG or "
     "PERFMON",
     "clear what does not go together"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kXfam), "init-vm.module-xfam",
     "the TDX module refused XFAM: bits that go together were split",
     "set 5, 6 and 7 (AVX-512) all or none and with 2 (AVX), 11 and 12 (CET) both or none, 17 and 18 (AMX) "
     "both or "
     "none"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kExecControls), "init-vm.module-config-flags",
     "the TDX module refused CONFIG_FLAGS, which KVM sets", "update the TDX module: KVM needs NO_RBP_MOD"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kEptpControls), "init-vm.module-eptp-controls",
     "the TDX module refused the EPT levels", "pass 48 in CPUID 0x80000008 EAX[23:16]"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kMaxVcpus), "init-vm.module-max-vcpus",
     "the TDX module refused the number of vCPUs, of which KVM asks for as many as the host has CPUs",
     "the module takes 1 to 576 (2.0: 1376); set KVM_CAP_MAX_VCPUS"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kCpuidConfig), "init-vm.module-cpuid",
     "the TDX module refused a CPUID value: a bit that is not configurable, or bits that go together were "
     "split",
     "set only bits that KVM_TDX_CAPABILITIES lists for that leaf"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kTscFrequency), "init-vm.module-tsc",
     "the TDX module refused the TSC frequency", "set 100000 to 10000000 kHz, in steps of 25000"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kNumL2Vms), "init-vm.module-l2-vms",
     "the TDX module refused the number of nested VMs: more than 3, or any in a TD that is MIGRATABLE",
     "clear MIGRATABLE"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kArchCapabilitiesConfig),
     "init-vm.module-arch-capabilities", "the TDX module refused IA32_ARCH_CAPABILITIES",
     "update the kernel, which sets it"},
    {TdxInitVm, EINVAL, invalid_operand(tdx::operand::kRdx), "init-vm.module-reserved",
     "the TDX module refused a reserved field of TD_PARAMS", "update the kernel, which fills it"},
};

}  // namespace

CauseRows init_vm_causes() { return kRows; }

}  // namespace virttdx
