// SPDX-License-Identifier: GPL-2.0-or-later
// CPU feature names: libvirt's own, from the CPU map that it installs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"
#include "vmm_backend/cpuid.h"

namespace virttdx::domain_xml {

inline constexpr std::string_view kCpuMapPath = "/usr/share/libvirt/cpu_map/x86_features.xml";

struct CpuidBit {
  std::uint32_t function = 0;
  std::uint32_t index = 0;
  CpuidRegister reg = CpuidRegister::Eax;
  std::uint8_t bit = 0;
  bool operator==(const CpuidBit&) const = default;
};

class CpuMap {
 public:
  /// Reads x86_features.xml. An error names the file.
  static Result<CpuMap> load(const std::filesystem::path& path);
  /// The installed map, read once; empty when there is none. Any thread.
  static const CpuMap& installed();

  struct Feature {
    std::string name;
    std::vector<CpuidBit> bits;  ///< none: the feature lies in an MSR
  };
  /// By name or alias; null when there is none.
  const Feature* find(std::string_view name) const;
  /// The feature's name for a bit; empty when it has none.
  std::string_view name_of(const CpuidBit& bit) const;

 private:
  std::vector<Feature> features_;
  struct Alias {
    std::string name;
    std::size_t feature;
  };
  std::vector<Alias> aliases_;
};

}  // namespace virttdx::domain_xml
