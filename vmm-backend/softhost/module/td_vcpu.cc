// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/td_vcpu.h"

#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

// VMX access rights: present, accessed, 32-bit, 4 KiB granularity; type 11 (code) or 3 (data).
constexpr std::uint16_t kCodeRights = 0xC09B, kDataRights = 0xC093;
constexpr std::uint16_t kTaskRights = 0x8B, kLdtRights = 0x82;

}  // namespace

TdVcpu::TdVcpu(Td& td, std::uint32_t index, std::uint64_t initial_rcx, std::uint32_t x2apic_id)
    : td_(td), index_(index), initial_rcx_(initial_rcx), x2apic_id_(x2apic_id) {}

Registers TdVcpu::first_registers() const {
  Registers registers;
  registers.gpr[kRbx] = td_.gpaw();
  registers.gpr[kRcx] = initial_rcx_;
  registers.gpr[kR8] = initial_rcx_;
  registers.gpr[kRdx] = td_.cpuid().value(1, 0)->eax;
  registers.gpr[kRsi] = index_;
  registers.rip = 0xFFFFFFF0;
  return registers;
}

SystemRegisters TdVcpu::first_system_registers() {
  constexpr std::uint64_t kPeNe = 0x21, kMce = 0x40, kSceLmeNxe = 0x901;
  const SegmentRegister data{0, 0xFFFFFFFF, 0, kDataRights, false};
  SystemRegisters state;
  state.cs = {0, 0xFFFFFFFF, 0, kCodeRights, false};
  state.ds = state.es = state.fs = state.gs = state.ss = data;
  state.tr = {0, 0xFFFF, 0, kTaskRights, false};
  state.ldt = {0, 0xFFFF, 0, kLdtRights, true};
  state.gdt = {0, 0xFFFF};
  state.idt = {0, 0};
  state.cr0 = kPeNe;
  state.cr4 = kMce;  // as the guest reads it: VMXE is the module's
  state.efer = kSceLmeNxe;
  return state;
}

PrivateAccess TdVcpu::access_private(std::uint64_t gpa, PrivatePage& page) const {
  page = td_.walk_private(gpa);
  switch (page.state) {
    case PageState::Mapped:
      return PrivateAccess::Memory;
    case PageState::Free:
      return PrivateAccess::EptViolation;
    case PageState::Pending:
      break;
  }
  return td_.controls().td_ctls & bit(tdx::td_control::kPendingVeDisable) ? PrivateAccess::PendingTdExit
                                                                          : PrivateAccess::Ve;
}

bool TdVcpu::store_ve(const VeInfo& info) {
  if (ve_info_) return false;
  ve_info_ = info;
  return true;
}

Outcome TdVcpu::cpuid(std::uint32_t leaf, std::uint32_t subleaf, const CpuidContext& context,
                      CpuidValue& value) const {
  constexpr std::uint64_t kSupervisor = 1, kUser = 2;
  if (cpuid_ve_ & (context.cpl == 0 ? kSupervisor : kUser)) return Outcome::Ve;
  const auto answer = td_.cpuid().cpuid(leaf, subleaf, context, {index_, x2apic_id_, td_.controls()});
  if (!answer) return Outcome::Ve;
  value = *answer;
  return Outcome::Continue;
}

}  // namespace virttdx::softhost
