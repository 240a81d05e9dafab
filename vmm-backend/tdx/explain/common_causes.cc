// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

// Of KVM_MEMORY_ENCRYPT_OP as such.
constexpr CauseRow kRows[] = {
    {Unknown, ENOTTY, kNoStatus, "tdx.not-a-td", "the VM is not of type TDX",
     "create it with type 5 (KVM_X86_TDX_VM)"},
    {Unknown, ENOTTY, kNoStatus, "tdx.version",
     "monitor and kernel do not fit together: kernels before 6.16 had TDX ABIs of their own",
     "use a monitor made for upstream TDX with Linux 6.16 or later, or both from one vendor's release; a "
     "stale "
     "development build is the usual culprit"},
    {Unknown, EINVAL, kNoStatus, "tdx.hw-error", "hw_error was not 0 on the way in",
     "zero struct kvm_tdx_cmd first"},
    {Unknown, EINVAL, kNoStatus, "tdx.command",
     "KVM does not know the command here: some are of the VM, some of a vCPU, and kernels before 6.16 "
     "numbered them "
     "otherwise",
     "use a monitor and a kernel of the same TDX ABI"},
    {Unknown, EFAULT, kNoStatus, "tdx.address", "struct kvm_tdx_cmd cannot be read", "pass its address"},
    {Unknown, EBUSY, kNoStatus, "tdx.creating", "a vCPU is being created at the same time",
     "wait until KVM_CREATE_VCPU is back"},
    {Unknown, EINTR, kNoStatus, "tdx.killed", "the process is being killed", "none"},
    {Unknown, EIO, kNoStatus, "tdx.dead", "an earlier failure made the VM dead",
     "destroy it; the first failure in the log is the cause"},
    {Unknown, EIO, kNoStatus, "tdx.other-process", "the VM belongs to another process's memory",
     "use it where it was created"},
};

}  // namespace

CauseRows common_causes() { return kRows; }

}  // namespace virttdx
