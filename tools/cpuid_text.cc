// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpuid_text.h"

#include <fmt/format.h>

namespace virttdx::tools {

std::string leaf_name(const CpuidEntry& entry) {
  return fmt::format("CPUID.{:02X}H.{:X}", entry.function, entry.index);
}

std::string cpuid_table(std::span<const CpuidEntry> entries) {
  std::string text =
      fmt::format("{:<17}  {:<10}  {:<10}  {:<10}  {:<10}\n", "leaf", "EAX", "EBX", "ECX", "EDX");
  for (const auto& entry : entries)
    text += fmt::format("{:<17}  {:#010x}  {:#010x}  {:#010x}  {:#010x}\n", leaf_name(entry), entry.eax,
                        entry.ebx, entry.ecx, entry.edx);
  return text;
}

}  // namespace virttdx::tools
