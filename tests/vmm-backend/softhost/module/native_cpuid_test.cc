// SPDX-License-Identifier: GPL-2.0-or-later
// TDH.SYS.INIT refuses to start on a processor whose CPUID does not have these values (module 1.5.34): the
// emulated processor must be one that the module would accept.
#include <gtest/gtest.h>

#include "softhost/cpu/cpu_engine.h"
#include "vmm_backend/cpuid.h"
#include "vmm_backend/soft_host_gaps.h"

namespace virttdx::softhost {
namespace {

struct Demand {
  std::uint32_t leaf, subleaf;
  CpuidRegister name;
  std::uint32_t mask, value;
};

// clang-format off
constexpr Demand kDemands[] = {
    {0x0, 0, CpuidRegister::Ebx, 0xFFFFFFFF, 0x756E6547},
    {0x0, 0, CpuidRegister::Ecx, 0xFFFFFFFF, 0x6C65746E},
    {0x0, 0, CpuidRegister::Edx, 0xFFFFFFFF, 0x49656E69},
    {0x1, 0, CpuidRegister::Ebx, 0x0000FF00, 0x00000800},
    {0x1, 0, CpuidRegister::Ecx, 0x47FAA217, 0x47FAA217},
    {0x1, 0, CpuidRegister::Edx, 0x1FA9FBFF, 0x1FA9FBFF},
    {0x4, 0, CpuidRegister::Ebx, 0x00000FFF, 0x0000003F},
    {0x4, 1, CpuidRegister::Ebx, 0x00000FFF, 0x0000003F},
    {0x4, 2, CpuidRegister::Ebx, 0x00000FFF, 0x0000003F},
    {0x4, 3, CpuidRegister::Eax, 0x000000E0, 0x00000060},
    {0x4, 3, CpuidRegister::Ebx, 0x00000FFF, 0x0000003F},
    {0x4, 3, CpuidRegister::Edx, 0x00000001, 0x00000000},
    {0x4, 4, CpuidRegister::Eax, 0x0000001F, 0x00000000},
    {0x6, 0, CpuidRegister::Eax, 0x00800000, 0x00000000},
    {0x7, 0, CpuidRegister::Eax, 0xFFFFFFFF, 0x00000002},
    {0x7, 0, CpuidRegister::Ebx, 0x219424C3, 0x219424C3},
    {0x7, 0, CpuidRegister::Ecx, 0x99000000, 0x99000000},
    {0x7, 0, CpuidRegister::Edx, 0xFC082600, 0xFC080400},
    {0x7, 2, CpuidRegister::Edx, 0x00000017, 0x00000017},
    {0xA, 0, CpuidRegister::Eax, 0x0000FF00, 0x00000800},
    {0xA, 0, CpuidRegister::Ecx, 0xFFFFFF80, 0x00000000},
    {0xA, 0, CpuidRegister::Edx, 0x00008000, 0x00008000},
    {0xD, 0, CpuidRegister::Eax, 0x00000003, 0x00000003},
    {0xD, 1, CpuidRegister::Eax, 0x0000000F, 0x0000000F},
    {0xD, 1, CpuidRegister::Ecx, 0x00001800, 0x00001800},
    {0x14, 0, CpuidRegister::Eax, 0xFFFFFFFF, 0x00000001},
    {0x1F, 5, CpuidRegister::Ecx, 0x0000FF00, 0x00000000},
    {0x23, 1, CpuidRegister::Eax, 0xFFFFFF00, 0x00000000},
    {0x23, 1, CpuidRegister::Ebx, 0xFFFFFF80, 0x00000000},
    {0x80000001, 0, CpuidRegister::Ecx, 0x00000121, 0x00000121},
    {0x80000001, 0, CpuidRegister::Edx, 0x2C100800, 0x2C100800},
    {0x80000006, 0, CpuidRegister::Ecx, 0x000000FF, 0x00000040},
    {0x80000007, 0, CpuidRegister::Edx, 0x00000100, 0x00000100},
    {0x80000008, 0, CpuidRegister::Ebx, 0x00000200, 0x00000200},
};
// clang-format on

TEST(NativeCpuid, HasWhatTheTdxModuleDemandsOfAProcessor) {
  for (const auto& demand : kDemands) {
    const auto native = native_cpuid(demand.leaf, demand.subleaf);
    const CpuidEntry entry{demand.leaf, demand.subleaf, false,     native.eax,
                           native.ebx,  native.ecx,     native.edx};
    EXPECT_EQ(entry.get(demand.name) & demand.mask, demand.value)
        << std::hex << "leaf " << demand.leaf << " sub-leaf " << demand.subleaf << " register "
        << static_cast<int>(demand.name) << " mask " << demand.mask;
  }
}

// The software host as it is shows nothing that it cannot execute.
TEST(NativeCpuid, HasNoneOfTheGaps) {
  for (const SoftHostGap& gap : kSoftHostGaps) {
    const auto native = native_cpuid(gap.function, gap.index);
    const CpuidEntry entry{gap.function, gap.index, false, native.eax, native.ebx, native.ecx, native.edx};
    EXPECT_EQ(entry.get(gap.reg) >> gap.bit & 1, 0U) << gap.name;
  }
}

}  // namespace
}  // namespace virttdx::softhost
