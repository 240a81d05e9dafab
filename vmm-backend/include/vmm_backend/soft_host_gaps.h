// SPDX-License-Identifier: GPL-2.0-or-later
// Which CPU features the software TDX host cannot execute. It shows them to a TD only when it plays a
// recorded host that has them: their instructions are #UD there, or do less than a processor's.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "vmm_backend/cpuid.h"

namespace virttdx {

struct SoftHostGap {
  std::uint32_t function = 0, index = 0;
  CpuidRegister reg = CpuidRegister::Eax;
  unsigned bit = 0;
  std::string_view name;  ///< libvirt's, or the SDM's where libvirt has none
};

/// Intel SDM volume 2, CPUID; Intel Architecture Instruction Set Extensions Programming Reference.
inline constexpr std::array kSoftHostGaps = {
    SoftHostGap{1, 0, CpuidRegister::Ecx, 12, "fma"},
    SoftHostGap{1, 0, CpuidRegister::Ecx, 28, "avx"},
    SoftHostGap{1, 0, CpuidRegister::Ecx, 29, "f16c"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 5, "avx2"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 11, "rtm"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 16, "avx512f"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 17, "avx512dq"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 21, "avx512ifma"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 28, "avx512cd"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 30, "avx512bw"},
    SoftHostGap{7, 0, CpuidRegister::Ebx, 31, "avx512vl"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 1, "avx512vbmi"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 3, "pku"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 5, "waitpkg"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 6, "avx512vbmi2"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 7, "cet-ss"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 8, "gfni"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 9, "vaes"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 10, "vpclmulqdq"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 11, "avx512vnni"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 12, "avx512bitalg"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 14, "avx512-vpopcntdq"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 22, "rdpid"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 23, "kl"},
    SoftHostGap{7, 0, CpuidRegister::Ecx, 29, "enqcmd"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 5, "uintr"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 8, "avx512-vp2intersect"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 14, "serialize"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 16, "tsx-ldtrk"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 20, "cet-ibt"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 22, "amx-bf16"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 23, "avx512-fp16"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 24, "amx-tile"},
    SoftHostGap{7, 0, CpuidRegister::Edx, 25, "amx-int8"},
    SoftHostGap{7, 1, CpuidRegister::Eax, 4, "avx-vnni"},
    SoftHostGap{7, 1, CpuidRegister::Eax, 5, "avx512-bf16"},
    SoftHostGap{7, 1, CpuidRegister::Eax, 7, "cmpccxadd"},
    SoftHostGap{7, 1, CpuidRegister::Eax, 21, "amx-fp16"},
    SoftHostGap{7, 1, CpuidRegister::Eax, 23, "avx-ifma"},
    SoftHostGap{7, 1, CpuidRegister::Edx, 4, "avx-vnni-int8"},
    SoftHostGap{7, 1, CpuidRegister::Edx, 5, "avx-ne-convert"},
    SoftHostGap{7, 1, CpuidRegister::Edx, 8, "amx-complex"},
    SoftHostGap{7, 1, CpuidRegister::Edx, 10, "avx-vnni-int16"},
    SoftHostGap{7, 1, CpuidRegister::Edx, 19, "avx10"},
};

/// The names of those that CPUID as given shows; empty on the software host as it is.
inline std::vector<std::string_view> soft_host_gaps(std::span<const CpuidEntry> cpuid) {
  std::vector<std::string_view> names;
  for (const SoftHostGap& gap : kSoftHostGaps) {
    const CpuidEntry* const entry = find_cpuid(cpuid, gap.function, gap.index);
    if (entry != nullptr && (entry->get(gap.reg) >> gap.bit & 1) != 0) names.push_back(gap.name);
  }
  return names;
}

}  // namespace virttdx
