// SPDX-License-Identifier: GPL-2.0-or-later
// What decides each CPUID bit of a TD: the TDX module's virtualisation table as plain data, with a sentence
// for people. Source: CPUID virtualization tables of the Intel TDX Module ABI Specification, module 1.5.34.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vmm_backend/cpuid.h"

namespace virttdx {

enum class TdxCpuidClass : std::uint8_t {
  Fixed0,                ///< always 0
  Fixed1,                ///< always 1
  Native,                ///< the physical CPU's value
  Configurable,          ///< as KVM_TDX_INIT_VM gives it
  ConfigurableIfNative,  ///< as KVM_TDX_INIT_VM gives it; 1 only when the physical CPU has it
  XfamDependent,         ///< the physical CPU's value, 0 without XFAM bit `xfam_bit`
  AttributeDependent,    ///< the physical CPU's value, 0 without ATTRIBUTES bit `attribute_bit`
  Dynamic,               ///< computed when the guest asks (APIC id, OSXSAVE, XSAVE sizes, TSC frequency)
  Ve,                    ///< the leaf is #VE: the guest asks KVM by TDVMCALL, and KVM's own CPUID answers
};

struct TdxCpuidBit {
  TdxCpuidClass bit_class = TdxCpuidClass::Ve;
  /// XFAM bit without which this one is 0. Set for XfamDependent, and for ConfigurableIfNative bits that are
  /// gated too.
  std::optional<std::uint8_t> xfam_bit;
  /// ATTRIBUTES bit without which this one is 0.
  std::optional<std::uint8_t> attribute_bit;
};

/// What decides bit `bit` (0..31) of a register of a leaf. `index` is ignored for leaves without sub-leaves.
/// Pure; any thread.
TdxCpuidBit tdx_cpuid_bit(std::uint32_t function, std::uint32_t index, CpuidRegister name, unsigned bit);

/// The same of all bits of a register at once, in a TD with `xfam` and `attributes`.
struct TdxCpuidRegister {
  std::uint32_t fixed0 = 0, fixed1 = 0;
  std::uint32_t configurable = 0;  ///< of both kinds
  std::uint32_t shut = 0;          ///< 0 for want of a bit of XFAM or ATTRIBUTES
  /// What the module shows, before what it computes: `given` to KVM_TDX_INIT_VM, `native` the physical CPU's
  /// or, of leaves that are #VE, what KVM was told.
  std::uint32_t value(std::uint32_t given, std::uint32_t native) const {
    return (fixed1 | (given & configurable) | (native & ~(fixed0 | fixed1 | configurable))) & ~shut;
  }
};
TdxCpuidRegister tdx_cpuid_register(std::uint32_t function, std::uint32_t index, CpuidRegister name,
                                    std::uint64_t xfam, std::uint64_t attributes);

/// One English sentence saying why the bit is what it is and what changes it, without a full stop at the end:
/// "the TDX module fixes it to 0". Names XFAM and ATTRIBUTES bits.
std::string tdx_cpuid_reason(const TdxCpuidBit& bit);

}  // namespace virttdx
