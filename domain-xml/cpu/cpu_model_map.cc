// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/cpu_model_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace virttdx::domain_xml {
namespace {

Result<std::uint32_t> number(const xml::Element& element, std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Error::Code::InvalidData, "line {}: '{}' is not a number", element.line, text);
  return value;
}

// stepping='5' or '0-5' or '10-11,14': the lowest and the highest.
Result<> read_steppings(const xml::Element& element, CpuSignature& signature) {
  const auto text = element.attribute_text("stepping");
  if (text.empty()) return {};
  const auto first_end = text.find_first_of("-,");
  const auto last_begin = text.find_last_of("-,");
  signature.lowest_stepping = TRY(number(element, std::string_view(text).substr(0, first_end)));
  signature.highest_stepping = last_begin == std::string::npos
                                   ? signature.lowest_stepping
                                   : TRY(number(element, std::string_view(text).substr(last_begin + 1)));
  return {};
}

Result<CpuSignature> read_signature(const xml::Element& element) {
  CpuSignature signature;
  signature.family = TRY(number(element, element.attribute_text("family")));
  signature.model = TRY(number(element, element.attribute_text("model")));
  TRY(read_steppings(element, signature));
  return signature;
}

// The files that one <arch name='x86'> of the index includes, in order.
std::vector<std::string> included_files(const xml::Element& index) {
  std::vector<std::string> names;
  for (const auto& arch : index.children) {
    if (arch.name != "arch" || arch.attribute_text("name") != "x86") continue;
    for (const auto& include : arch.children)
      if (include.name == "include") names.push_back(include.attribute_text("filename"));
    // libvirt 10.10 and later group the models.
    for (const auto& group : arch.children)
      for (const auto& include : group.children)
        if (group.name == "group" && include.name == "include")
          names.push_back(include.attribute_text("filename"));
  }
  std::erase_if(names,
                [](const std::string& name) { return name.empty() || name.find('/') != std::string::npos; });
  return names;
}

}  // namespace

bool CpuSignature::matches(std::uint32_t eax) const {
  const auto stepping = eax & 0xF;
  constexpr std::uint32_t kVersion = 0x0FFF0FF0;
  return (eax & kVersion) == (leaf_1_eax() & kVersion) && stepping >= lowest_stepping &&
         stepping <= highest_stepping;
}

std::uint32_t CpuSignature::leaf_1_eax() const {
  const std::uint32_t base = std::min(family, 15U), extended = family - base;
  return extended << 20 | (model >> 4 & 0xF) << 16 | base << 8 | (model & 0xF) << 4 | (lowest_stepping & 0xF);
}

Result<CpuModelMap> CpuModelMap::load(const std::filesystem::path& features_file) {
  auto map = TRY(load_features(features_file));
  const auto folder = features_file.parent_path();
  map.files_.push_back(folder / "index.xml");
  for (const auto& name : included_files(TRY(read_map_file(map.files_.back())))) {
    if (name == features_file.filename()) continue;
    const auto path = map.files_.emplace_back(folder / name);
    if (auto added = map.add_models(TRY(read_map_file(path))); !added)
      return tl::unexpected<Error>(std::move(added).error().with_context(path.string()));
  }
  return map;
}

Result<CpuModelMap> CpuModelMap::load_features(const std::filesystem::path& features_file) {
  CpuModelMap map;
  map.features_ = TRY(CpuMap::load(features_file));
  map.files_ = {features_file};
  return map;
}

Result<> CpuModelMap::add_models(const xml::Element& root) {
  for (const auto& element : root.children)
    if (element.name == "model") models_.push_back(TRY(read_model(element)));
  return {};
}

Result<CpuModel> CpuModelMap::read_model(const xml::Element& element) const {
  CpuModel model;
  model.name = element.attribute_text("name");
  for (const auto& child : element.children) {
    const auto name = child.attribute_text("name");
    if (child.name == "model") {
      const auto* ancestor = find_model(name);
      if (ancestor == nullptr)
        return fail(Error::Code::InvalidData, "line {}: model '{}' derives from '{}', which is unknown",
                    child.line, model.name, name);
      model.features.insert(ancestor->features.begin(), ancestor->features.end());
      if (model.vendor.empty()) model.vendor = ancestor->vendor;
      if (model.signatures.empty()) model.signatures = ancestor->signatures;
    } else if (child.name == "decode") {
      model.names_guests = child.attribute_text("guest") != "off";
    } else if (child.name == "vendor") {
      model.vendor = name;
    } else if (child.name == "signature") {
      model.signatures.push_back(TRY(read_signature(child)));
    } else if (child.name == "feature") {
      const auto* feature = features_.find(name);
      if (feature == nullptr || !feature->is_of_processor()) continue;
      if (child.attribute_text("removed") == "yes")
        model.features.erase(feature->name);
      else
        model.features.insert(feature->name);
    }
  }
  return model;
}

const CpuModel* CpuModelMap::find_model(std::string_view name) const {
  const auto found = std::ranges::find(models_, name, &CpuModel::name);
  return found == models_.end() ? nullptr : &*found;
}

FeatureNames CpuModelMap::features_in(const CpuidEntries& entries) const {
  FeatureNames names;
  for (const auto& feature : features_.features())
    if (feature.is_of_processor() &&
        std::ranges::all_of(feature.bits, [&](const CpuidBit& bit) { return is_set(entries, bit); }))
      names.insert(feature.name);
  return names;
}

FeatureNames without(const FeatureNames& left, const FeatureNames& right) {
  FeatureNames names;
  std::ranges::set_difference(left, right, std::inserter(names, names.end()));
  return names;
}

std::string join(const FeatureNames& names) { return fmt::format("{}", fmt::join(names, ", ")); }

}  // namespace virttdx::domain_xml
