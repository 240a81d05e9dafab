// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/cpu_map.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "support/file.h"
#include "xml/reader.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::size_t kMaximumMapSize = 1U << 20;

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

Result<CpuMap> CpuMap::load(const std::filesystem::path& path) {
  const auto text = TRY(read_text_file(path, kMaximumMapSize));
  const auto root = xml::read_document(text);
  if (!root) return tl::unexpected<Error>(Error(root.error()).with_context(path.string()));
  CpuMap map;
  for (const auto& element : root->children) {
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
  return map;
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
