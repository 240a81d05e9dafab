// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

constexpr CauseRow kRows[] = {
    {CreateGuestMemfd, EINVAL, kNoStatus, "guest-memfd.size",
     "the size is 0 or no multiple of 4 KiB, or a flag is not one for a TD (INIT_SHARED is not)",
     "pass whole pages and flags 0"},
    {CreateGuestMemfd, ENOTTY, kNoStatus, "guest-memfd.old-kernel", "this KVM has no guest_memfd",
     "use Linux 6.16 or later"},
    {CreateGuestMemfd, EMFILE, kNoStatus, "guest-memfd.files", "the process has too many open files",
     "raise RLIMIT_NOFILE"},
    {SetUserMemoryRegion, EINVAL, kNoStatus, "memory-region.shape",
     "a flag is not allowed in a TD (read-only, or dirty log with guest_memfd), an address is not "
     "page-aligned, a slot "
     "with guest_memfd is being changed, or the guest_memfd is too small or another VM's",
     "delete the slot before changing it; use no read-only slots (QEMU: -bios instead of pflash)"},
    {SetUserMemoryRegion, EEXIST, kNoStatus, "memory-region.overlap", "the range overlaps another slot",
     "lay out the slots without overlap"},
    {SetUserMemoryRegion, EBADF, kNoStatus, "memory-region.no-memfd", "guest_memfd is no open file",
     "pass what KVM_CREATE_GUEST_MEMFD answered"},
    {SetUserMemoryRegion, ENOMEM, kNoStatus, "memory-region.memory", "the host is out of memory",
     "free memory on the host"},
    {SetMemoryAttributes, EINVAL, kNoStatus, "memory-attributes.shape",
     "the range is empty, wraps or is not page-aligned, or an attribute other than PRIVATE is set",
     "pass whole pages with attributes 0 or 8"},
    {SetMemoryAttributes, ENOTTY, kNoStatus, "memory-attributes.old-kernel",
     "this KVM has no memory attributes", "use Linux 6.16 or later"},
    {SetMemoryAttributes, ENOMEM, kNoStatus, "memory-attributes.memory", "the host is out of memory",
     "free memory on the host"},
    {PreFaultMemory, EINVAL, kNoStatus, "pre-fault.shape",
     "the range is empty, wraps, is not page-aligned or has the SHARED bit", "pass private pages"},
    {PreFaultMemory, EOPNOTSUPP, kNoStatus, "pre-fault.early", "the TD is not finalized",
     "call it after KVM_TDX_FINALIZE_VM"},
    {PreFaultMemory, ENOENT, kNoStatus, "pre-fault.no-slot", "no memory slot has that address",
     "add the slot first"},
    {TdxInitMemRegion, EINVAL, kNoStatus, "init-mem-region.state",
     "the TD is not initialised or is finalized already, or this vCPU had no KVM_TDX_INIT_VCPU",
     "keep the order INIT_VM, INIT_VCPU, INIT_MEM_REGION, FINALIZE_VM"},
    {TdxInitMemRegion, EINVAL, kNoStatus, "init-mem-region.flags",
     "a flag other than MEASURE_MEMORY_REGION (1) is set", "pass flags 0 or 1"},
    {TdxInitMemRegion, EINVAL, kNoStatus, "init-mem-region.shape",
     "the source or the guest address is not page-aligned, there are no pages, or the range is not private",
     "pass whole pages below the SHARED bit"},
    {TdxInitMemRegion, EINVAL, kNoStatus, "init-mem-region.no-slot",
     "the pages lie in no memory slot with guest_memfd",
     "add the slot first: firmware sections must lie in RAM or in the firmware's own place below 4 GiB"},
    {TdxInitMemRegion, EINVAL, kNoStatus, "init-mem-region.shared", "the pages are not set private",
     "call KVM_SET_MEMORY_ATTRIBUTES with PRIVATE first"},
    {TdxInitMemRegion, EFAULT, kNoStatus, "init-mem-region.source",
     "the source or the structure cannot be read", "pass mapped memory"},
    {TdxInitMemRegion, EOPNOTSUPP, kNoStatus, "init-mem-region.no-source",
     "there is no source address (Linux 7.1)", "pass a zeroed source for zero pages"},
    {TdxInitMemRegion, EINTR, kNoStatus, "init-mem-region.signal", "a signal came",
     "call it again with the structure as KVM left it"},
    {TdxInitMemRegion, EAGAIN, kNoStatus, "init-mem-region.busy", "another CPU held the page tables",
     "call it again with the structure as KVM left it"},
    {TdxInitMemRegion, ENOMEM, kNoStatus, "init-mem-region.memory", "the host is out of memory",
     "free memory on the host"},
    {TdxInitMemRegion, EHWPOISON, kNoStatus, "init-mem-region.poison",
     "a page of the host's memory is defective", "the kernel log names it; replace the module"},
    {TdxInitMemRegion, EIO, kNoStatus, "init-mem-region.twice",
     "a page was added before: two sections overlap",
     "look at the firmware's sections with 'virt-tdx firmware'"},
    {TdxInitMemRegion, EIO, kNoStatus, "init-mem-region.module",
     "the TDX module refused TDH.MEM.PAGE.ADD, SEPT.ADD or MR.EXTEND",
     "read the kernel log's SEAMCALL line; the VM is of no further use"},
};

}  // namespace

CauseRows memory_causes() { return kRows; }

}  // namespace virttdx
