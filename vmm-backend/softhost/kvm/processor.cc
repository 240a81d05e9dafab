// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/processor.h"

#include <ctime>

namespace virttdx::softhost {

std::uint32_t host_tsc_khz(const Processor& processor) {
  if (processor.tsc_khz != 0) return processor.tsc_khz;
  const CpuidValue value = processor.cpuid(0x15, 0);  // crystal clock in ECX, times EBX / EAX
  if (value.eax == 0) return 0;
  const std::uint64_t hertz = std::uint64_t{value.ecx} * value.ebx / value.eax;
  return static_cast<std::uint32_t>(hertz / 1000);
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace virttdx::softhost
