// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include "tdx/explain/cause_table.h"

namespace virttdx {
namespace {

using enum KvmRequest;

constexpr CauseRow kRows[] = {
    {TdxFinalizeVm, EINVAL, kNoStatus, "finalize.state", "the TD is not initialised, or is finalized already",
     "call it once, after KVM_TDX_INIT_VM"},
    {TdxFinalizeVm, EBUSY, status_class(tdx::status::kOperandBusy), "finalize.busy",
     "another request holds the TD in the TDX module", "try again"},
    {TdxFinalizeVm, EIO, status_class(tdx::status::kNoVcpus), "finalize.no-vcpus",
     "no vCPU of the TD is initialised", "call KVM_TDX_INIT_VCPU for each vCPU first"},
    {TdxFinalizeVm, EIO, kNoStatus, "finalize.module", "the TDX module refused TDH.MR.FINALIZE",
     "read the kernel log's SEAMCALL line; the VM is of no further use"},
};

}  // namespace

CauseRows finalize_causes() { return kRows; }

}  // namespace virttdx
