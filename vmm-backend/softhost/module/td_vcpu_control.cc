// SPDX-License-Identifier: GPL-2.0-or-later
// Control register writes of a TD. Intel TDX Module Base Specification, "CR Handling".
#include <initializer_list>

#include "softhost/module/td_vcpu.h"
#include "tdx/tdx_spec.h"

namespace virttdx::softhost {

namespace {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
bool all_or_none(std::uint64_t value, std::uint64_t mask) {
  return !(value & mask) || (value & mask) == mask;
}

constexpr std::uint64_t kCr0Pe = bit(0), kCr0Ne = bit(5), kCr0Wp = bit(16), kCr0Nw = bit(29),
                        kCr0Cd = bit(30), kCr0Pg = bit(31), kCr0Reserved = 0xFFFFFFFF00000000;
constexpr std::uint64_t kCr4Mce = bit(6), kCr4La57 = bit(12), kCr4Vmxe = bit(13), kCr4Smxe = bit(14),
                        kCr4Pke = bit(22), kCr4Cet = bit(23), kCr4Pks = bit(24), kCr4Uintr = bit(25),
                        kCr4Lass = bit(27), kCr4LamSup = bit(28);
// VME .. OSXMMEXCPT, UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP: always there, the module requires them.
constexpr std::uint64_t kCr4Always = 0x7FF | bit(11) | bit(16) | bit(17) | bit(18) | bit(20) | bit(21);
constexpr std::uint64_t kCr4ModuleOwned = kCr4Mce | kCr4Vmxe | kCr4Smxe;

struct Cr4Gate {
  std::uint64_t cr4_bit;
  std::uint64_t xfam;        // any of these, or
  std::uint64_t attributes;  // any of these
};
constexpr Cr4Gate kCr4Gates[] = {{kCr4Pke, bit(tdx::xfam::kPkru), 0},
                                 {kCr4Cet, bit(tdx::xfam::kCetU), 0},
                                 {kCr4Uintr, bit(tdx::xfam::kUintr), 0},
                                 {kCr4Pks, 0, bit(tdx::attribute::kPks)},
                                 {kCr4Lass, 0, bit(tdx::attribute::kLass)}};

std::uint64_t cr4_allowed(const Td& td) {
  constexpr std::uint32_t kLa57InLeaf7Ecx = 1U << 16, kLamInLeaf7_1Eax = 1U << 26;
  const auto& parameters = td.parameters();
  auto allowed = kCr4Always | kCr4Vmxe | kCr4Smxe;
  for (const auto& gate : kCr4Gates)
    if (parameters.xfam & gate.xfam || parameters.attributes & gate.attributes) allowed |= gate.cr4_bit;
  if (td.cpuid().value(7, 0)->ecx & kLa57InLeaf7Ecx) allowed |= kCr4La57;
  if (td.cpuid().value(7, 1)->eax & kLamInLeaf7_1Eax) allowed |= kCr4LamSup;
  return allowed;
}

}  // namespace

Outcome TdVcpu::write_cr0(std::uint64_t, std::uint64_t new_value, std::uint64_t cr4) const {
  if (new_value & kCr0Pg && !(new_value & kCr0Pe)) return Outcome::GeneralProtection;
  if (!(new_value & kCr0Wp) && cr4 & kCr4Cet) return Outcome::GeneralProtection;
  constexpr auto kMustBeOne = kCr0Pe | kCr0Ne, kMustBeZero = kCr0Nw | kCr0Cd | kCr0Reserved;
  const bool as_owned = (new_value & kMustBeOne) == kMustBeOne && !(new_value & kMustBeZero);
  return as_owned ? Outcome::Continue : Outcome::Ve;
}

Outcome TdVcpu::write_cr4(std::uint64_t old_value, std::uint64_t new_value, std::uint64_t cr0) const {
  if (new_value & ~cr4_allowed(td_)) return Outcome::GeneralProtection;
  if (new_value & kCr4Cet && !(cr0 & kCr0Wp)) return Outcome::GeneralProtection;
  return (old_value ^ new_value) & kCr4ModuleOwned ? Outcome::Ve : Outcome::Continue;
}

Outcome TdVcpu::write_xcr0(std::uint64_t new_value) const {
  using namespace tdx::xfam;
  constexpr auto kAvx512 = bit(kAvx512Opmask) | bit(kZmmHi256) | bit(kHi16Zmm);
  const auto allowed = td_.parameters().xfam & kXcr0Mask;
  const bool valid = new_value & bit(kX87) && !(new_value & ~allowed) &&
                     (!(new_value & bit(kAvx)) || new_value & bit(kSse)) && all_or_none(new_value, kAvx512) &&
                     (!(new_value & kAvx512) || new_value & bit(kAvx)) &&
                     all_or_none(new_value, bit(kTileCfg) | bit(kTileData));
  return valid ? Outcome::Continue : Outcome::GeneralProtection;
}

Outcome TdVcpu::write_efer(std::uint64_t old_value, std::uint64_t new_value) const {
  constexpr std::uint64_t kSce = bit(0), kLma = bit(10);
  return (old_value ^ new_value) & ~(kSce | kLma) ? Outcome::Ve : Outcome::Continue;
}

}  // namespace virttdx::softhost
