// SPDX-License-Identifier: GPL-2.0-or-later
// Named CPU models: libvirt's own, from the CPU map that it installs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/cpu_map.h"
#include "xml/element.h"

namespace virttdx::domain_xml {

/// Names of features as CpuMap has them (no aliases).
using FeatureNames = std::set<std::string, std::less<>>;

struct CpuSignature {
  std::uint32_t family = 0, model = 0;
  std::uint32_t lowest_stepping = 0, highest_stepping = 15;
  /// Whether CPUID.01H:EAX names such a processor.
  bool matches(std::uint32_t leaf_1_eax) const;
  /// CPUID.01H:EAX with the lowest stepping (Intel SDM volume 2, CPUID, version information).
  std::uint32_t leaf_1_eax() const;
};

struct CpuModel {
  std::string name;
  std::string vendor;  ///< "Intel"; empty: any
  std::vector<CpuSignature> signatures;
  /// A set of features may be named by it; any definition may ask for it.
  bool names_guests = true;
  FeatureNames features;  ///< with those of its ancestor, without those that newer versions removed
};

/// Features and models together. Both come from index.xml of one folder.
class CpuModelMap {
 public:
  /// `features_file` is PlanSources::cpu_map; index.xml and the models lie beside it. An error names the
  /// file.
  static Result<CpuModelMap> load(const std::filesystem::path& features_file);

  /// Without models.
  static Result<CpuModelMap> load_features(const std::filesystem::path& features_file);

  const CpuMap& features() const { return features_; }
  /// What it was read from.
  const std::vector<std::filesystem::path>& files() const { return files_; }
  /// In libvirt's order.
  const std::vector<CpuModel>& models() const { return models_; }
  const CpuModel* find_model(std::string_view name) const;

  /// Features all of whose bits are 1. Features in MSRs and KVM's own are in no set.
  FeatureNames features_in(const CpuidEntries& entries) const;

 private:
  Result<> add_models(const xml::Element& root);
  Result<CpuModel> read_model(const xml::Element& element) const;

  CpuMap features_;
  std::vector<CpuModel> models_;
  std::vector<std::filesystem::path> files_;
};

/// What is in `left` and not in `right`.
FeatureNames without(const FeatureNames& left, const FeatureNames& right);
/// "a, b, c".
std::string join(const FeatureNames& names);

}  // namespace virttdx::domain_xml
