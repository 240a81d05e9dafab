// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpuid_text.h"

#include <fmt/format.h>

namespace virttdx::tools {

std::string leaf_name(const CpuidEntry& entry) {
  return fmt::format("CPUID.{:02X}H.{:X}", entry.function, entry.index);
}

std::string cpuid_table(std::span<const CpuidEntry> entries) {
  std::string text = fmt::format("{:<17}  {:<10}  {:<10}  {:<10}  EDX\n", "leaf", "EAX", "EBX", "ECX");
  std::size_t zeros = 0;
  for (const auto& entry : entries) {
    if ((entry.eax | entry.ebx | entry.ecx | entry.edx) == 0)
      ++zeros;
    else
      text += fmt::format("{:<17}  {:#010x}  {:#010x}  {:#010x}  {:#010x}\n", leaf_name(entry), entry.eax,
                          entry.ebx, entry.ecx, entry.edx);
  }
  if (zeros > 0) text += fmt::format("{} more are all zeros\n", zeros);
  return text;
}

}  // namespace virttdx::tools
