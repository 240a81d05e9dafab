// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

constexpr const char* kNeedsTdx =
    "use an Intel CPU with TDX, enable TDX in the firmware, run Linux 6.16 or later with "
    "CONFIG_KVM_INTEL_TDX and "
    "kvm_intel.tdx=1, and read the kernel log's lines with \"tdx\"";

constexpr CauseRow kRows[] = {
    {OpenKvm, ENOENT, kNoStatus, "open.missing", "/dev/kvm does not exist: KVM is not loaded",
     "enable VT-x and TDX in the firmware and load kvm_intel"},
    {OpenKvm, ENODEV, kNoStatus, "open.no-kvm", "/dev/kvm exists but no KVM stands behind it",
     "load kvm_intel; the kernel log says why it refuses"},
    {OpenKvm, EACCES, kNoStatus, "open.permission", "this user may not open /dev/kvm",
     "run as root or as a member of group kvm"},
    {OpenKvm, EPERM, kNoStatus, "open.permission", "this user may not open /dev/kvm",
     "run as root or as a member of group kvm; in a container, pass the device in"},
    {CreateVm, EINVAL, kNoStatus, "create-vm.no-tdx", "KVM does not offer the VM type TDX (5)", kNeedsTdx},
    {CreateVm, ENOMEM, kNoStatus, "create-vm.memory", "the host is out of memory", "free memory on the host"},
    {CreateVm, EMFILE, kNoStatus, "create-vm.files", "the process has too many open files",
     "raise RLIMIT_NOFILE"},
    {EnableSplitIrqchip, EINVAL, kNoStatus, "split-irqchip.routes",
     "more than 4096 interrupt routes were asked for, or KVM lacks the capability",
     "ask for 24, an I/O APIC's"},
    {EnableSplitIrqchip, EEXIST, kNoStatus, "split-irqchip.late",
     "the VM has an interrupt controller or a vCPU already", "enable the capability first and once"},
    {CreateIrqchip, ENOTTY, kNoStatus, "irqchip.td",
     "a TD takes no interrupt controller that is wholly in the kernel",
     "enable KVM_CAP_SPLIT_IRQCHIP instead (QEMU: kernel-irqchip=split)"},
    {CreateIrqchip, EEXIST, kNoStatus, "irqchip.split", "the VM has a split interrupt controller already",
     "leave this request out"},
    {EnableExitHypercall, EINVAL, kNoStatus, "exit-hypercall.bits",
     "hypercalls other than KVM_HC_MAP_GPA_RANGE were asked for, or KVM lacks the capability",
     "ask for bit 12 alone; use Linux 6.16 or later"},
    {EnableX2apicApi, EINVAL, kNoStatus, "x2apic-api.bits",
     "flags that this KVM does not know were asked for", "ask for flags 0x3"},
    {EnableApicBusCycles, EINVAL, kNoStatus, "apic-bus-cycles.late",
     "the length is 0 or too long, vCPUs exist already, or KVM lacks the capability",
     "set 40 ns (the TDX module's 25 MHz) before the first vCPU; use Linux 6.16 or later"},
    {EnableApicBusCycles, ENXIO, kNoStatus, "apic-bus-cycles.no-irqchip",
     "the VM has no interrupt controller yet", "enable KVM_CAP_SPLIT_IRQCHIP first"},
    {SetTscKhz, EINVAL, kNoStatus, "tsc-khz.range",
     "the frequency is above what the host's CPU can scale to, or vCPUs exist already, or it was set on a "
     "TD's vCPU",
     "set it on the VM before the first vCPU, 100000 to 10000000 kHz in steps of 25000, or leave it to the "
     "host"},
    {SetTscKhz, ENOTTY, kNoStatus, "tsc-khz.old-kernel", "this KVM does not set the frequency of a whole VM",
     "use Linux 6.16 or later, or leave the frequency to the host"},
};

}  // namespace

CauseRows setup_causes() { return kRows; }

}  // namespace virttdx
