// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/cpu_map.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "support/file.h"
#include "xml/reader.h"

namespace virttdx::domain_xml {
namespace {

struct RegisterAttribute {
  std::string_view name;
  CpuidRegister reg;
};
constexpr std::array kRegisterAttributes = {
    RegisterAttribute{"eax", CpuidRegister::Eax},
    RegisterAttribute{"ebx", CpuidRegister::Ebx},
    RegisterAttribute{"ecx", CpuidRegister::Ecx},
    RegisterAttribute{"edx", CpuidRegister::Edx},
};

// State components and features with a bit of XFAM or ATTRIBUTES (Intel SDM volume 2, CPUID), and KVM's
// paravirtual features (Linux Documentation/virt/kvm/x86/cpuid.rst) under QEMU's names.
constexpr std::uint32_t kKvmLeaf = 0x40000001;
struct NewerName {
  std::string_view name;
  CpuidBit bit;
};
constexpr std::array kNewerNames = {
    NewerName{"hwp", {6, 0, CpuidRegister::Eax, 7}},
    NewerName{"hdc", {6, 0, CpuidRegister::Eax, 13}},
    NewerName{"shstk", {7, 0, CpuidRegister::Ecx, 7}},
    NewerName{"kl", {7, 0, CpuidRegister::Ecx, 23}},
    NewerName{"enqcmd", {7, 0, CpuidRegister::Ecx, 29}},
    NewerName{"uintr", {7, 0, CpuidRegister::Edx, 5}},
    NewerName{"ibt", {7, 0, CpuidRegister::Edx, 20}},
    NewerName{"lass", {7, 1, CpuidRegister::Eax, 6}},
    NewerName{"kvmclock", {kKvmLeaf, 0, CpuidRegister::Eax, 3}},
    NewerName{"kvm-nopiodelay", {kKvmLeaf, 0, CpuidRegister::Eax, 1}},
    NewerName{"kvm-asyncpf", {kKvmLeaf, 0, CpuidRegister::Eax, 4}},
    NewerName{"kvm-steal-time", {kKvmLeaf, 0, CpuidRegister::Eax, 5}},
    NewerName{"kvm-pv-eoi", {kKvmLeaf, 0, CpuidRegister::Eax, 6}},
    NewerName{"kvm-pv-unhalt", {kKvmLeaf, 0, CpuidRegister::Eax, 7}},
    NewerName{"kvm-pv-tlb-flush", {kKvmLeaf, 0, CpuidRegister::Eax, 9}},
    NewerName{"kvm-pv-ipi", {kKvmLeaf, 0, CpuidRegister::Eax, 11}},
    NewerName{"kvm-poll-control", {kKvmLeaf, 0, CpuidRegister::Eax, 12}},
    NewerName{"kvm-pv-sched-yield", {kKvmLeaf, 0, CpuidRegister::Eax, 13}},
    NewerName{"kvm-msi-ext-dest-id", {kKvmLeaf, 0, CpuidRegister::Eax, 15}},
};

Result<std::uint32_t> hex_attribute(const xml::Element& element, std::string_view name) {
  const auto* attribute = element.attribute(name);
  if (attribute == nullptr) return 0U;
  std::string_view digits = attribute->value;
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size())
    return fail(Error::Code::InvalidData, "line {}: invalid value '{}' of attribute '{}'", element.line,
                attribute->value, name);
  return value;
}

Result<> add_bits(const xml::Element& cpuid, std::vector<CpuidBit>& bits) {
  const auto function = TRY(hex_attribute(cpuid, "eax_in"));
  const auto index = TRY(hex_attribute(cpuid, "ecx_in"));
  for (const auto& [name, reg] : kRegisterAttributes) {
    const auto mask = TRY(hex_attribute(cpuid, name));
    for (std::uint8_t bit = 0; bit < 32; ++bit)
      if ((mask >> bit & 1) != 0) bits.push_back({function, index, reg, bit});
  }
  return {};
}

}  // namespace

bool is_set(const CpuidEntries& entries, const CpuidBit& bit) {
  const auto* entry = find_cpuid(entries, bit.function, bit.index);
  return entry != nullptr && (entry->get(bit.reg) >> bit.bit & 1) != 0;
}

void assign(CpuidEntries& entries, const CpuidBit& bit, bool value) {
  const auto mask = 1U << bit.bit;
  const auto entry = std::ranges::find_if(
      entries, [&](const CpuidEntry& one) { return one.function == bit.function && one.index == bit.index; });
  if (entry != entries.end())
    entry->set(bit.reg, value ? entry->get(bit.reg) | mask : entry->get(bit.reg) & ~mask);
  if (entry != entries.end() || !value) return;
  entries.push_back({.function = bit.function, .index = bit.index, .index_significant = bit.index != 0});
  entries.back().set(bit.reg, mask);
}

Result<xml::Element> read_map_file(const std::filesystem::path& path) {
  constexpr std::size_t kMaximumSize = 1U << 20;
  const auto text = TRY(read_text_file(path, kMaximumSize));
  auto root = xml::read_document(text);
  if (!root) return tl::unexpected<Error>(Error(root.error()).with_context(path.string()));
  return std::move(*root);
}

Result<CpuMap> CpuMap::load(const std::filesystem::path& path) {
  const auto root = TRY(read_map_file(path));
  CpuMap map;
  for (const auto& element : root.children) {
    const auto* name = element.attribute("name");
    if (element.name != "feature" || name == nullptr) continue;
    Feature feature{name->value, {}};
    for (const auto& child : element.children) {
      if (child.name == "cpuid") TRY(add_bits(child, feature.bits));
      if (const auto* alias = child.attribute("name"); child.name == "alias" && alias != nullptr)
        map.aliases_.push_back({alias->value, map.features_.size()});
    }
    map.features_.push_back(std::move(feature));
  }
  map.add_newer_names();
  return map;
}

void CpuMap::add_newer_names() {
  for (const auto& [name, bit] : kNewerNames)
    if (find(name) == nullptr && name_of(bit).empty()) features_.push_back({std::string(name), {bit}});
}

const CpuMap& CpuMap::installed() {
  static const CpuMap map = load(kCpuMapPath).value_or(CpuMap());
  return map;
}

const CpuMap::Feature* CpuMap::find(std::string_view name) const {
  if (const auto found = std::ranges::find(features_, name, &Feature::name); found != features_.end())
    return &*found;
  const auto alias = std::ranges::find(aliases_, name, &Alias::name);
  return alias == aliases_.end() ? nullptr : &features_[alias->feature];
}

std::string_view CpuMap::name_of(const CpuidBit& bit) const {
  for (const auto& feature : features_)
    if (feature.bits.size() == 1 && feature.bits[0] == bit) return feature.name;
  return {};
}

}  // namespace virttdx::domain_xml
