// SPDX-License-Identifier: GPL-2.0-or-later
// What the guest really sees against what was asked for, bit by bit.
#include <array>

#include "cpu/cpu_map.h"
#include "domain_xml/plan.h"
#include "vmm_backend/tdx_cpuid_classes.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 4> kRegisterNames = {"EAX", "EBX", "ECX", "EDX"};

std::string reason_of(const CpuidBit& bit, std::uint64_t xfam, std::uint64_t attributes) {
  const auto fact = tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit);
  auto reason = tdx_cpuid_reason(fact);
  if (fact.xfam_bit && (xfam >> *fact.xfam_bit & 1) == 0)
    reason += fmt::format("; this TD's XFAM {:#x} has bit {} clear", xfam, *fact.xfam_bit);
  if (fact.attribute_bit && (attributes >> *fact.attribute_bit & 1) == 0)
    reason += fmt::format("; this TD's ATTRIBUTES {:#x} has bit {} clear", attributes, *fact.attribute_bit);
  return reason;
}

// Left out: what the module computes when the guest asks, leaves that KVM answers from vcpu_requested itself,
// and the width of guest-physical addresses, which INIT_VM takes out of its leaf (0x80000008.EAX[23:16]).
bool is_compared(const CpuidBit& bit) {
  if (bit.function == 0x80000008 && bit.reg == CpuidRegister::Eax && bit.bit >= 16 && bit.bit < 24)
    return false;
  const auto bit_class = tdx_cpuid_bit(bit.function, bit.index, bit.reg, bit.bit).bit_class;
  return bit_class != TdxCpuidClass::Dynamic && bit_class != TdxCpuidClass::Ve;
}

struct Comparison {
  const CpuidReport& report;
  std::uint64_t xfam;
  std::uint64_t attributes;
  const CpuidEntries* predicted;

  std::vector<CpuidDifference> differences() const {
    std::vector<CpuidDifference> differences;
    for (const auto& actual : report.actual)
      for (const auto reg : kCpuidRegisters) add(actual, reg, 0, differences);
    for (const auto& [vcpu, entries] : report.deviations)
      for (const auto& actual : entries)
        for (const auto reg : kCpuidRegisters) add(actual, reg, vcpu, differences);
    return differences;
  }

 private:
  void add(const CpuidEntry& actual, CpuidRegister reg, std::uint32_t vcpu,
           std::vector<CpuidDifference>& differences) const {
    const auto* requested = find_cpuid(report.vcpu_requested, actual.function, actual.index);
    if (requested == nullptr) requested = find_cpuid(report.requested, actual.function, actual.index);
    const auto* said = predicted == nullptr ? nullptr : find_cpuid(*predicted, actual.function, actual.index);
    const auto value = actual.get(reg), wanted = requested == nullptr ? 0 : requested->get(reg);
    const auto surprises = said == nullptr ? 0 : said->get(reg) ^ value;
    for (std::uint8_t i = 0; i < 32; ++i) {
      const CpuidBit bit{actual.function, actual.index, reg, i};
      if (((wanted ^ value) >> i & 1) == 0 && (surprises >> i & 1) == 0) continue;
      if (!is_compared(bit)) continue;
      auto reason = reason_of(bit, xfam, attributes);
      if ((surprises >> i & 1) != 0)
        reason += "; predicted otherwise: this TDX module or CPU is not as known";
      differences.push_back({bit.function, bit.index, reg, i, (wanted >> i & 1) != 0, (value >> i & 1) != 0,
                             std::string(CpuMap::installed().name_of(bit)), std::move(reason),
                             said == nullptr ? std::nullopt : std::optional((said->get(reg) >> i & 1) != 0),
                             vcpu});
    }
  }
};

}  // namespace

std::string bit_name(std::uint32_t function, std::uint32_t index, CpuidRegister reg, std::uint8_t bit) {
  const auto name = CpuMap::installed().name_of({function, index, reg, bit});
  auto text = fmt::format("CPUID.{:02X}H", function);
  if (index != 0) text += fmt::format(".{:X}", index);
  text += fmt::format(":{}", kRegisterNames[static_cast<std::size_t>(reg)]);
  if (!name.empty()) text += fmt::format(".{}", name);
  return text + fmt::format(" [bit {}]", bit);
}

std::string to_string(const CpuidDifference& difference) {
  auto text = bit_name(difference.function, difference.index, difference.reg, difference.bit);
  return difference.vcpu == 0 ? text : fmt::format("vCPU {}: {}", difference.vcpu, text);
}

std::vector<CpuidDifference> compare_cpuid(const CpuidReport& report, std::uint64_t xfam,
                                           std::uint64_t attributes) {
  return Comparison{report, xfam, attributes, nullptr}.differences();
}

std::vector<CpuidDifference> compare_cpuid(const CpuidReport& report, std::uint64_t xfam,
                                           std::uint64_t attributes, const CpuidEntries& predicted) {
  return Comparison{report, xfam, attributes, &predicted}.differences();
}

}  // namespace virttdx::domain_xml
