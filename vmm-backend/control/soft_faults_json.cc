// SPDX-License-Identifier: GPL-2.0-or-later
// Faults on demand as JSON: schemas/soft-faults.json.
#include "vmm_backend/soft_faults.h"

#include "control/json_fields.h"

namespace virttdx {
namespace {

constexpr std::size_t kMaximumSize = 1 << 16;

struct FaultList {
  std::vector<SoftFault> faults;
};

// A status of 0 would be success.
Result<> check_seamcall(const SoftFault& fault, std::size_t index) {
  if (fault.hw_error != 0 && !fault.error && !fault.kills_vm) return {};
  return fail(
      Error::Code::InvalidData,
      "/faults/{}: a SEAMCALL fails with a status other than 0 in 'hw_error', of which KVM makes 'errno' "
      "and 'kills_vm' itself",
      index);
}

Result<> check(const SoftFault& fault, std::size_t index) {
  if (fault.first == 0 || fault.count == 0)
    return fail(Error::Code::InvalidData, "/faults/{}: 'first' and 'count' are at least 1", index);
  if (is_seamcall(fault.at)) return check_seamcall(fault, index);
  if (!fault.error)
    return fail(Error::Code::InvalidData, "/faults/{}: an ioctl fails with an 'errno'", index);
  const bool takes_status = fault.at == FaultPoint::TdxInitVm || fault.at == FaultPoint::TdxFinalizeVm;
  if (fault.hw_error != 0 && !takes_status)
    return fail(Error::Code::InvalidData,
                "/faults/{}: KVM gives 'hw_error' with KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM only", index);
  return {};
}

}  // namespace

template <>
struct EnumNames<FaultPoint> {
  static constexpr EnumNameTable<FaultPoint, 28> kNames = {{
      {FaultPoint::GetSupportedCpuid, "KVM_GET_SUPPORTED_CPUID"},
      {FaultPoint::CreateVm, "KVM_CREATE_VM"},
      {FaultPoint::EnableCap, "KVM_ENABLE_CAP"},
      {FaultPoint::SetTscKhz, "KVM_SET_TSC_KHZ"},
      {FaultPoint::SetUserMemoryRegion2, "KVM_SET_USER_MEMORY_REGION2"},
      {FaultPoint::SetMemoryAttributes, "KVM_SET_MEMORY_ATTRIBUTES"},
      {FaultPoint::CreateGuestMemfd, "KVM_CREATE_GUEST_MEMFD"},
      {FaultPoint::CreateVcpu, "KVM_CREATE_VCPU"},
      {FaultPoint::SetCpuid2, "KVM_SET_CPUID2"},
      {FaultPoint::Run, "KVM_RUN"},
      {FaultPoint::SignalMsi, "KVM_SIGNAL_MSI"},
      {FaultPoint::SetGsiRouting, "KVM_SET_GSI_ROUTING"},
      {FaultPoint::Irqfd, "KVM_IRQFD"},
      {FaultPoint::Ioeventfd, "KVM_IOEVENTFD"},
      {FaultPoint::TdxCapabilities, "KVM_TDX_CAPABILITIES"},
      {FaultPoint::TdxInitVm, "KVM_TDX_INIT_VM"},
      {FaultPoint::TdxInitVcpu, "KVM_TDX_INIT_VCPU"},
      {FaultPoint::TdxInitMemRegion, "KVM_TDX_INIT_MEM_REGION"},
      {FaultPoint::TdxInitMemRegionPage, "KVM_TDX_INIT_MEM_REGION page"},
      {FaultPoint::TdxGetCpuid, "KVM_TDX_GET_CPUID"},
      {FaultPoint::TdxFinalizeVm, "KVM_TDX_FINALIZE_VM"},
      {FaultPoint::TdhMngCreate, "TDH.MNG.CREATE"},
      {FaultPoint::TdhMngInit, "TDH.MNG.INIT"},
      {FaultPoint::TdhMngRd, "TDH.MNG.RD"},
      {FaultPoint::TdhVpInit, "TDH.VP.INIT"},
      {FaultPoint::TdhMemPageAdd, "TDH.MEM.PAGE.ADD"},
      {FaultPoint::TdhMrExtend, "TDH.MR.EXTEND"},
      {FaultPoint::TdhMrFinalize, "TDH.MR.FINALIZE"},
  }};
};

template <>
struct EnumNames<FaultErrno> {
  static constexpr EnumNameTable<FaultErrno, 11> kNames = {{
      {FaultErrno::Eintr, "EINTR"},
      {FaultErrno::Eio, "EIO"},
      {FaultErrno::E2big, "E2BIG"},
      {FaultErrno::Eagain, "EAGAIN"},
      {FaultErrno::Enomem, "ENOMEM"},
      {FaultErrno::Efault, "EFAULT"},
      {FaultErrno::Ebusy, "EBUSY"},
      {FaultErrno::Einval, "EINVAL"},
      {FaultErrno::Emfile, "EMFILE"},
      {FaultErrno::Enospc, "ENOSPC"},
      {FaultErrno::Eopnotsupp, "EOPNOTSUPP"},
  }};
};

template <typename Visitor>
void describe(Visitor& visit, SoftFault& fault) {
  visit.required("at", fault.at);
  visit.optional("errno", fault.error);
  visit.optional("first", fault.first);
  visit.optional("count", fault.count);
  visit.optional("hw_error", hex(fault.hw_error));
  visit.optional("kills_vm", fault.kills_vm);
}

template <typename Visitor>
void describe(Visitor& visit, FaultList& list) {
  visit.required("faults", list.faults);
}

Result<std::vector<SoftFault>> soft_faults_from_json(std::string_view json) {
  auto list = TRY(from_json<FaultList>(TRY(parse_json(json, kMaximumSize))));
  for (std::size_t i = 0; i < list.faults.size(); ++i) TRY(check(list.faults[i], i));
  return std::move(list.faults);
}

}  // namespace virttdx
