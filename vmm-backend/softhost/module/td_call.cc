// SPDX-License-Identifier: GPL-2.0-or-later
// TDCALL: the guest-side functions of the TDX module. Intel TDX Module ABI Specification, "TDCALL Interface
// Functions". A function returns RAX; with EptViolation in the result nothing has happened yet.
#include <algorithm>
#include <cstring>

#include "softhost/module/td_report.h"
#include "softhost/module/td_vcpu.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

using namespace tdx;
using Kind = TdCallResult::Kind;

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
constexpr std::uint64_t invalid(std::uint64_t operand) { return status::kOperandInvalid | operand; }

}  // namespace

TdCallResult TdVcpu::td_call(Registers& registers) {
  TdCallResult result;
  std::uint64_t rax = invalid(operand::kRax);
  // Versions above 0 and reserved bits of RAX make no known leaf.
  switch (registers.gpr[kRax]) {
    case tdcall::kVpVmcall:
      rax = vmcall(registers, result);
      break;
    case tdcall::kVpInfo:
      rax = vp_info(registers);
      break;
    case tdcall::kMrRtmrExtend:
      rax = rtmr_extend(registers, result);
      break;
    case tdcall::kVpVeinfoGet:
      rax = veinfo_get(registers);
      break;
    case tdcall::kMrReport:
      rax = mr_report(registers, result);
      break;
    case tdcall::kVpCpuidveSet:
      rax = cpuidve_set(registers);
      break;
    case tdcall::kMemPageAccept:
      rax = page_accept(registers, result);
      break;
    case tdcall::kVmRd:
      rax = vm_rd(registers);
      break;
    case tdcall::kVmWr:
      rax = vm_wr(registers);
      break;
    case tdcall::kSysRd:
      rax = sys_rd(registers);
      break;
    case tdcall::kMrVerifyreport:
      rax = mr_verify_report(registers, result);
      break;
    default:
      break;
  }
  // After a TD exit RAX must still be the leaf: the call is completed or executed again.
  if (result.kind == Kind::Done) registers.gpr[kRax] = rax;
  return result;
}

std::uint64_t TdVcpu::vmcall(const Registers& registers, TdCallResult& result) {
  constexpr std::uint64_t kNever = bit(kRax) | bit(kRcx) | bit(kRsp) | 0xFFFFFFFF00000000;
  const auto selected = registers.gpr[kRcx];
  const bool no_rbp = td_.parameters().config_flags & bit(config_flag::kNoRbpMod);
  if (selected & (kNever | (no_rbp ? bit(kRbp) : 0))) return invalid(operand::kRcx);
  for (unsigned i = 0; i < vmcall_.size(); ++i) vmcall_[i] = selected & bit(i) ? registers.gpr[i] : 0;
  vmcall_[kRcx] = selected;
  result.kind = Kind::VmCall;
  return status::kSuccess;
}

void TdVcpu::complete_vmcall(Registers& registers, const VmCallRegisters& results) const {
  for (unsigned i = 0; i < results.size(); ++i)
    if (vmcall_[kRcx] & bit(i)) registers.gpr[i] = results[i];
  registers.gpr[kRax] = status::kSuccess;
}

std::uint64_t TdVcpu::vp_info(Registers& registers) const {
  constexpr std::uint64_t kSysRdAvailable = 1;
  registers.gpr[kRcx] = td_.gpaw();
  registers.gpr[kRdx] = td_.parameters().attributes;
  // MAX_VCPUS is told as NUM_VCPUS: Debian 12's OVMF waits for as many (the profile in softhost/README.md).
  registers.gpr[kR8] = td_.vcpu_count() | std::uint64_t{td_.vcpu_count()} << 32;
  registers.gpr[kR9] = index_;
  registers.gpr[kR10] = kSysRdAvailable;
  registers.gpr[kR11] = 0;
  return status::kSuccess;
}

// The host memory of an operand in private memory; an operand never crosses a page by its alignment.
std::uint64_t TdVcpu::operand_page(std::uint64_t gpa, std::size_t alignment, std::uint64_t operand,
                                   TdCallResult& result, std::byte*& host) const {
  if (gpa % alignment || !td_.is_private(gpa)) return invalid(operand);
  const auto page = td_.walk_private(gpa);
  if (page.state == PageState::Free) {
    result = {Kind::EptViolation, gpa, 0};
    return status::kSuccess;
  }
  if (page.state == PageState::Pending) return invalid(operand);
  host = page.host + gpa % 4096;
  return status::kSuccess;
}

std::uint64_t TdVcpu::rtmr_extend(const Registers& registers, TdCallResult& result) {
  constexpr std::size_t kAlignment = 64;
  std::byte* data = nullptr;
  const auto checked = operand_page(registers.gpr[kRcx], kAlignment, operand::kRcx, result, data);
  if (checked != status::kSuccess) return checked;
  if (registers.gpr[kRdx] >= kRtmrCount) {
    result = {};
    return invalid(operand::kRdx);
  }
  if (result.kind != Kind::Done) return status::kSuccess;
  MeasurementValue value;
  std::memcpy(value.data(), data, value.size());
  td_.extend_rtmr(registers.gpr[kRdx], value);
  return status::kSuccess;
}

std::uint64_t TdVcpu::veinfo_get(Registers& registers) {
  if (!ve_info_) return status::kNoValidVeInfo;
  registers.gpr[kRcx] = ve_info_->exit_reason;
  registers.gpr[kRdx] = ve_info_->exit_qualification;
  registers.gpr[kR8] = ve_info_->gla;
  registers.gpr[kR9] = ve_info_->gpa;
  registers.gpr[kR10] = ve_info_->instruction_length | std::uint64_t{ve_info_->instruction_information} << 32;
  ve_info_.reset();
  return status::kSuccess;
}

std::uint64_t TdVcpu::mr_report(const Registers& registers, TdCallResult& result) {
  std::byte* target = nullptr;
  std::byte* data = nullptr;
  auto checked = operand_page(registers.gpr[kRcx], report::kSize, operand::kRcx, result, target);
  if (checked != status::kSuccess || result.kind != Kind::Done) return checked;
  checked = operand_page(registers.gpr[kRdx], report::kDataSize, operand::kRdx, result, data);
  if (checked != status::kSuccess || result.kind != Kind::Done) return checked;
  if (registers.gpr[kR8] != 0) return invalid(operand::kR8);
  std::array<std::byte, report::kDataSize> report_data;
  std::memcpy(report_data.data(), data, report_data.size());
  const auto td_report = make_td_report(td_, report_data);
  std::memcpy(target, td_report.data(), td_report.size());
  return status::kSuccess;
}

std::uint64_t TdVcpu::mr_verify_report(const Registers& registers, TdCallResult& result) const {
  std::byte* report = nullptr;
  const auto checked =
      operand_page(registers.gpr[kRcx], report::kMacStructSize, operand::kRcx, result, report);
  if (checked != status::kSuccess || result.kind != Kind::Done) return checked;
  std::array<std::byte, report::kMacStructSize> copy;
  std::memcpy(copy.data(), report, copy.size());
  return is_report_of(td_.module(), copy) ? status::kSuccess : status::kInvalidReportmacstruct;
}

std::uint64_t TdVcpu::cpuidve_set(const Registers& registers) {
  constexpr std::uint64_t kSupervisorAndUser = 3;
  if (registers.gpr[kRcx] & ~kSupervisorAndUser) return invalid(operand::kRcx);
  cpuid_ve_ = registers.gpr[kRcx];
  return status::kSuccess;
}

std::uint64_t TdVcpu::page_accept(const Registers& registers, TdCallResult& result) {
  constexpr std::uint64_t kLevelMask = 7, kLargestLevel = 1, kGpaMask = 0x000FFFFFFFFFF000;
  const auto level = static_cast<unsigned>(registers.gpr[kRcx] & kLevelMask);
  const auto gpa = registers.gpr[kRcx] & ~kLevelMask;
  const std::uint64_t size = level ? 2 << 20 : 4096;
  if (level > kLargestLevel || gpa & ~kGpaMask || gpa % size || !td_.is_private(gpa))
    return invalid(operand::kRcx);
  const auto accepted = td_.memory().accept(gpa, level);
  switch (accepted.result) {
    case SecureEpt::Accept::Accepted:
      return status::kSuccess;
    case SecureEpt::Accept::AlreadyAccepted:
      return status::kPageAlreadyAccepted | accepted.level;
    case SecureEpt::Accept::SizeMismatch:
      return status::kPageSizeMismatch | accepted.level;
    case SecureEpt::Accept::EptViolation:
      break;
  }
  result = {Kind::EptViolation, gpa, level};
  return status::kSuccess;
}

}  // namespace virttdx::softhost
