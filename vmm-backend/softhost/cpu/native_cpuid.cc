// SPDX-License-Identifier: GPL-2.0-or-later
// CPUID of the emulated processor: a fourth-generation Xeon reduced to what the engine executes, but with
// every bit that the TDX module verifies at its initialization (TDX module 1.5, CPUID virtualization).
#include <algorithm>
#include <array>

#include "softhost/cpu/cpu_engine.h"

namespace virttdx::softhost {

namespace {

struct Leaf {
  std::uint32_t leaf, subleaf;
  CpuidValue value;
};

/// The sub-leaf number of leaves that have none.
constexpr std::uint32_t kAny = 0xffffffff;

constexpr std::array kLeaves = {
    Leaf{0x0, kAny, {0x23, 0x756e6547, 0x6c65746e, 0x49656e69}},
    // Family 6, model 0x8F, stepping 8. No VMX, FMA, F16C, AVX: the engine has none of them.
    Leaf{0x1, kAny, {0x000806f8, 0x00010800, 0x47faa217, 0xbfebfbff}},
    Leaf{0x2, kAny, {0x00feff01, 0, 0, 0}},
    // 48 KiB L1 data, 32 KiB L1 code, 2 MiB L2, 32 MiB L3.
    Leaf{0x4, 0, {0x00000121, 0x02c0003f, 63, 0}},
    Leaf{0x4, 1, {0x00000122, 0x01c0003f, 63, 0}},
    Leaf{0x4, 2, {0x00000143, 0x03c0003f, 2047, 0}},
    Leaf{0x4, 3, {0x00000163, 0x03c0003f, 32767, 4}},
    Leaf{0x5, kAny, {64, 64, 3, 0x10}},
    Leaf{0x6, kAny, {0x4, 0, 0, 0}},
    // FSGSBASE TSC_ADJUST BMI1 SMEP BMI2 ERMS INVPCID RDSEED ADX SMAP CLFLUSHOPT CLWB SHA; LA57 MOVDIRI
    // MOVDIR64B PKS; CORE_CAPABILITIES.
    Leaf{0x7, 0, {2, 0x219c27cb, 0x99010000, 0xfc080400}},
    Leaf{0x7, 2, {0, 0, 0, 0x17}},
    Leaf{0xa, kAny, {0x08300805, 0, 0, 0x00008603}},
    Leaf{0xb, 0, {0, 1, 0x100, 0}},
    Leaf{0xb, 1, {0, 1, 0x201, 0}},
    // x87 and SSE state; CET states are verified by the module and reachable only through XFAM.
    Leaf{0xd, 0, {3, 576, 576, 0}},
    Leaf{0xd, 1, {0xf, 576, 0x1800, 0}},
    Leaf{0xd, 11, {16, 0, 1, 0}},
    Leaf{0xd, 12, {24, 0, 1, 0}},
    Leaf{0x14, 0, {1, 0, 0, 0}},
    // 2300 MHz from a 25 MHz crystal.
    Leaf{0x15, kAny, {1, 92, 25000000, 0}},
    Leaf{0x16, kAny, {2300, 2300, 100, 0}},
    Leaf{0x80000000, kAny, {0x80000008, 0, 0, 0}},
    Leaf{0x80000001, kAny, {0, 0, 0x121, 0x2c100800}},
    Leaf{0x80000006, kAny, {0, 0, 0x08007040, 0}},
    Leaf{0x80000007, kAny, {0, 0, 0, 0x100}},
    // 52 physical and 57 linear address bits, WBNOINVD.
    Leaf{0x80000008, kAny, {0x3934, 0x200, 0, 0}},
};

}  // namespace

CpuidValue native_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  const auto* found = std::find_if(kLeaves.begin(), kLeaves.end(), [&](const Leaf& entry) {
    return entry.leaf == leaf && (entry.subleaf == kAny || entry.subleaf == subleaf);
  });
  if (found != kLeaves.end()) return found->value;
  // Behind the last topology level only the asked-for sub-leaf is told.
  if (leaf == 0xb || leaf == 0x1f) return {.eax = 0, .ebx = 0, .ecx = subleaf & 0xff, .edx = 0};
  return {};
}

}  // namespace virttdx::softhost
