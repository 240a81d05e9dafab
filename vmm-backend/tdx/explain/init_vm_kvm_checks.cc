// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's checks of KVM_TDX_INIT_VM's structure (Linux 7.1 arch/x86/kvm/vmx/tdx.c), with what they found.
#include <fmt/format.h>

#include "tdx/explain/init_vm_checks.h"
#include "vmm_backend/td_bit_names.h"

namespace virttdx {
namespace {

constexpr std::size_t kMaximumEntries = 256;
constexpr std::uint32_t kAddressSizes = 0x80000008;

/// The entry that KVM takes for a leaf and sub-leaf: one without KVM_CPUID_FLAG_SIGNIFCANT_INDEX answers for
/// each sub-leaf.
const CpuidEntry* kvm_entry_for(const CpuidEntries& entries, std::uint32_t function, std::uint32_t index) {
  for (const CpuidEntry& entry : entries)
    if (entry.function == function && (!entry.index_significant || entry.index == index)) return &entry;
  return nullptr;
}

const CpuidEntry* address_sizes(const TdConfig& td) { return kvm_entry_for(td.cpuid, kAddressSizes, 0); }

std::uint32_t guest_phys_bits(const TdConfig& td) {
  const CpuidEntry* const sizes = address_sizes(td);
  return sizes == nullptr ? 0 : sizes->eax >> 16 & 0xFF;
}

struct WithheldFeature {
  CpuidRegister name;
  unsigned bit;
  const char* notation;
};
constexpr WithheldFeature kWithheld[] = {{CpuidRegister::Ebx, 4, "CPUID.07H:EBX.hle [bit 4]"},
                                         {CpuidRegister::Ebx, 11, "CPUID.07H:EBX.rtm [bit 11]"},
                                         {CpuidRegister::Ecx, 5, "CPUID.07H:ECX.waitpkg [bit 5]"}};

/// How often KVM's walk over the module's configurable leaves comes to each entry: it wants once each.
std::vector<unsigned> count_matches(const InitVmInput& input) {
  const CpuidEntries& entries = input.td.cpuid;
  std::vector<unsigned> counts(entries.size());
  for (const CpuidEntry& leaf : input.host.configurable_cpuid)
    if (const CpuidEntry* const entry = kvm_entry_for(entries, leaf.function, leaf.index))
      ++counts[static_cast<std::size_t>(entry - entries.data())];
  return counts;
}

TdxCause explain_unmatched(const InitVmInput& input, const CauseRow& row, const CpuidEntry& entry) {
  if (find_cpuid(input.host.configurable_cpuid, entry.function, entry.index) == nullptr)
    return with_values(row, fmt::format("{} is not configurable on this host's TDX module", leaf_name(entry)),
                       "leave the entry out");
  const CpuidEntry* const taken = kvm_entry_for(input.td.cpuid, entry.function, entry.index);
  if (taken->index == entry.index)
    return with_values(row, fmt::format("{} is there twice", leaf_name(entry)), "pass it once");
  return with_values(row,
                     fmt::format("{} is never looked at: the entry for sub-leaf {:#x} before it lacks "
                                 "KVM_CPUID_FLAG_SIGNIFCANT_INDEX",
                                 leaf_name(entry), taken->index),
                     "set the flag on every entry of the leaf");
}

}  // namespace

std::string leaf_name(const CpuidEntry& entry) {
  if (entry.index == 0) return fmt::format("CPUID {:#x}", entry.function);
  return fmt::format("CPUID {:#x} sub-leaf {:#x}", entry.function, entry.index);
}

TdxCause with_values(const CauseRow& row, std::string sentence, std::string remedy) {
  TdxCause cause = to_cause(row);
  cause.sentence = std::move(sentence);
  cause.remedy = std::move(remedy);
  cause.certainty = TdxCertainty::Certain;
  return cause;
}

void check_entry_count(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  if (input.td.cpuid.size() > kMaximumEntries)
    causes.push_back(with_values(
        row, fmt::format("there are {} CPUID entries; KVM takes 256", input.td.cpuid.size()), row.remedy));
}

void check_attributes(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  const std::uint64_t offered = input.host.supported_attributes;
  if (const std::uint64_t extra = input.td.attributes & ~offered; extra != 0 && offered != 0)
    causes.push_back(with_values(row,
                                 fmt::format("ATTRIBUTES {:#x} has {}, which this host's KVM does not offer",
                                             input.td.attributes, td_attribute_names(extra)),
                                 fmt::format("KVM offers {:#x}: {}", offered, td_attribute_names(offered))));
}

void check_xfam(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  const std::uint64_t offered = input.host.supported_xfam;
  if (const std::uint64_t extra = input.td.xfam & ~offered; extra != 0 && offered != 0)
    causes.push_back(with_values(
        row,
        fmt::format("XFAM {:#x} has {}, which this host does not offer", input.td.xfam, xfam_names(extra)),
        fmt::format("it offers {:#x}: {}", offered, xfam_names(offered))));
}

void check_guest_phys_bits_given(const InitVmInput& input, const CauseRow& row,
                                 std::vector<TdxCause>& causes) {
  if (address_sizes(input.td) == nullptr)
    causes.push_back(with_values(
        row, fmt::format("CPUID 0x80000008 is not among the {} entries", input.td.cpuid.size()), row.remedy));
}

void check_guest_phys_bits(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  const std::uint32_t bits = guest_phys_bits(input.td);
  if (address_sizes(input.td) != nullptr && bits != 48 && bits != 52)
    causes.push_back(
        with_values(row, fmt::format("CPUID 0x80000008 EAX[23:16] is {}", bits), "TDX allows 48 or 52"));
}

void check_five_level_ept(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  // A host whose own CPUID is not known says nothing of its EPT either.
  if (guest_phys_bits(input.td) == 52 && !input.host.five_level_ept && !input.host.supported_cpuid.empty())
    causes.push_back(with_values(row, row.sentence, "pass 48: it is all that this host can"));
}

void check_withheld_features(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  const CpuidEntry* const features = kvm_entry_for(input.td.cpuid, 7, 0);
  if (features == nullptr) return;
  for (const WithheldFeature& feature : kWithheld)
    if ((features->get(feature.name) >> feature.bit & 1) != 0)
      causes.push_back(with_values(
          row, fmt::format("{} is set, which KVM withholds from TDs", feature.notation), "clear it"));
}

void check_entries(const InitVmInput& input, const CauseRow& row, std::vector<TdxCause>& causes) {
  if (input.host.configurable_cpuid.empty()) return;
  const std::vector<unsigned> counts = count_matches(input);
  unsigned total = 0;
  for (const unsigned count : counts) total += count;
  // KVM compares no more than the sum.
  if (total == counts.size()) return;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const CpuidEntry& entry = input.td.cpuid[i];
    if (counts[i] == 0) causes.push_back(explain_unmatched(input, row, entry));
    if (counts[i] > 1)
      causes.push_back(
          with_values(row,
                      fmt::format("{} lacks KVM_CPUID_FLAG_SIGNIFCANT_INDEX and so stands for {} "
                                  "sub-leaves",
                                  leaf_name(entry), counts[i]),
                      "set the flag"));
  }
}

}  // namespace virttdx
