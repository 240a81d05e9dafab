// SPDX-License-Identifier: GPL-2.0-or-later
// One vCPU of a TD as the TDX module keeps it: first state, #VE information, guest-side calls (TDCALL) and
// what the module makes of CPUID, MSR and control register accesses.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "softhost/cpu/cpu_engine.h"
#include "softhost/module/msr_spec.h"
#include "softhost/module/td.h"

namespace virttdx::softhost {

/// What a TDCALL leads to. Done: RAX and output registers are set.
struct TdCallResult {
  enum class Kind : std::uint8_t {
    Done,
    VmCall,        ///< TDG.VP.VMCALL: the VMM answers through complete_vmcall()
    EptViolation,  ///< TD exit at `gpa`; once the VMM has added the page the TDCALL is executed again
  };
  Kind kind = Kind::Done;
  std::uint64_t gpa = 0;
  unsigned level = 0;  ///< asked for by TDG.MEM.PAGE.ACCEPT; 0 else
};

/// What an access to a private page leads to.
enum class PrivateAccess : std::uint8_t {
  Memory,         ///< the page is the guest's
  EptViolation,   ///< TD exit: the VMM adds the page and the guest tries again
  Ve,             ///< pending page: #VE with exit reason 48
  PendingTdExit,  ///< pending page, TD_CTLS.PENDING_VE_DISABLE: TD exit that the VMM cannot help
};

/// The registers of a TDVMCALL that RCX selects; the others are 0. RCX itself is the selection.
using VmCallRegisters = std::array<std::uint64_t, 16>;

/// Belongs to the vCPU's thread, except where the TD is thread-safe itself.
class TdVcpu {
 public:
  TdVcpu(Td& td, std::uint32_t index, std::uint64_t initial_rcx, std::uint32_t x2apic_id);

  Td& td() { return td_; }
  std::uint32_t index() const { return index_; }
  std::uint32_t x2apic_id() const { return x2apic_id_; }

  /// State at the first entry (TDH.VP.INIT).
  Registers first_registers() const;
  static SystemRegisters first_system_registers();

  /// A TDCALL at CPL 0 in 64-bit mode. Does not advance RIP.
  TdCallResult td_call(Registers& registers);
  /// After VmCall: what the guest passed to the VMM.
  const VmCallRegisters& vmcall() const { return vmcall_; }
  /// Gives the selected registers of `results` to the guest, RAX = 0; the others stay as they are.
  void complete_vmcall(Registers& registers, const VmCallRegisters& results) const;

  /// A private access; `page` is filled as Td::walk_private() does.
  PrivateAccess access_private(std::uint64_t gpa, PrivatePage& page) const;

  /// Keeps the information of a #VE; false when the guest has not read the last one: #DF instead.
  bool store_ve(const VeInfo& info);
  bool ve_info_valid() const { return ve_info_.has_value(); }

  /// Continue (value set) or Ve.
  Outcome cpuid(std::uint32_t leaf, std::uint32_t subleaf, const CpuidContext& context,
                CpuidValue& value) const;
  /// Continue (answered here), Ve, GeneralProtection, or Native: for 0x800..0x83F the local APIC's register,
  /// else the engine's (EFER, STAR, LSTAR, FMASK, FS/GS bases, SYSENTER, TSC, TSC_AUX).
  Outcome read_msr(std::uint32_t index, std::uint64_t& value) const;
  Outcome write_msr(std::uint32_t index, std::uint64_t value);
  /// EFER as the engine holds it decides over writes of it.
  Outcome write_efer(std::uint64_t old_value, std::uint64_t new_value) const;
  /// Continue, GeneralProtection or Ve (exit reason 28). `cr0`/`cr4` are the other register's current value.
  Outcome write_cr0(std::uint64_t old_value, std::uint64_t new_value, std::uint64_t cr4) const;
  Outcome write_cr4(std::uint64_t old_value, std::uint64_t new_value, std::uint64_t cr0) const;
  Outcome write_xcr0(std::uint64_t new_value) const;
  std::uint64_t xss() const { return stored_msr(kXssMsr); }

 private:
  static constexpr std::uint32_t kXssMsr = 0xDA0;

  // td_call.cc
  std::uint64_t vp_info(Registers& registers) const;
  std::uint64_t rtmr_extend(const Registers& registers, TdCallResult& result);
  std::uint64_t veinfo_get(Registers& registers);
  std::uint64_t mr_report(const Registers& registers, TdCallResult& result);
  std::uint64_t mr_verify_report(const Registers& registers, TdCallResult& result) const;
  std::uint64_t cpuidve_set(const Registers& registers);
  std::uint64_t page_accept(const Registers& registers, TdCallResult& result);
  std::uint64_t vm_rd(Registers& registers) const;
  std::uint64_t vm_wr(Registers& registers);
  std::uint64_t sys_rd(Registers& registers) const;
  std::uint64_t vmcall(const Registers& registers, TdCallResult& result);
  std::uint64_t operand_page(std::uint64_t gpa, std::size_t alignment, std::uint64_t operand,
                             TdCallResult& result, std::byte*& host) const;
  // td_vcpu_msr.cc
  bool has_feature(msr::Gate gate) const;
  Outcome read_reduced(std::uint32_t index, std::uint64_t& value) const;
  Outcome write_reduced(std::uint32_t index, std::uint64_t value);
  Outcome write_misc_enable(std::uint64_t value);
  Outcome apply(msr::Rule rule, msr::Gate gate) const;
  Outcome read_emulated(std::uint32_t index, std::uint64_t& value) const;
  Outcome write_emulated(std::uint32_t index, std::uint64_t value);
  Outcome write_native(std::uint32_t index, std::uint64_t value);
  Outcome write_debugctl(std::uint64_t value);
  std::uint64_t stored_msr(std::uint32_t index) const;

  Td& td_;
  const std::uint32_t index_;
  const std::uint64_t initial_rcx_;
  const std::uint32_t x2apic_id_;
  std::optional<VeInfo> ve_info_;
  std::uint64_t cpuid_ve_ = 0;  // TDG.VP.CPUIDVE.SET: bit 0 supervisor, bit 1 user
  VmCallRegisters vmcall_{};
  std::map<std::uint32_t, std::uint64_t> msrs_;  // written values of MSRs that the engine has no register for
};

}  // namespace virttdx::softhost
