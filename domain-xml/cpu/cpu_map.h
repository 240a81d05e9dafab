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
#include "xml/element.h"

namespace virttdx::domain_xml {

inline constexpr std::string_view kCpuMapPath = "/usr/share/libvirt/cpu_map/x86_features.xml";

/// A file of libvirt's CPU map; messages name it. InvalidData when it is longer than 1 MiB or no XML.
Result<xml::Element> read_map_file(const std::filesystem::path& path);

struct CpuidBit {
  std::uint32_t function = 0;
  std::uint32_t index = 0;
  CpuidRegister reg = CpuidRegister::Eax;
  std::uint8_t bit = 0;
  bool operator==(const CpuidBit&) const = default;
};

bool is_set(const CpuidEntries& entries, const CpuidBit& bit);
/// Changes a bit; an entry that is not there is added when the bit is to be 1.
void assign(CpuidEntries& entries, const CpuidBit& bit, bool value);

class CpuMap {
 public:
  /// Reads x86_features.xml, and adds names of features that matter to TDs and that older maps lack. An error
  /// names the file.
  static Result<CpuMap> load(const std::filesystem::path& path);
  /// The installed map, read once; empty when there is none. Any thread.
  static const CpuMap& installed();

  struct Feature {
    std::string name;
    std::vector<CpuidBit> bits;  ///< none: the feature lies in an MSR
    /// One of KVM's own leaves, which no CPU model speaks of.
    bool is_paravirtual() const { return !bits.empty() && bits[0].function >> 28 == 4; }
    bool is_of_processor() const { return !bits.empty() && !is_paravirtual(); }
  };
  const std::vector<Feature>& features() const { return features_; }
  /// By name or alias; null when there is none.
  const Feature* find(std::string_view name) const;
  /// The feature's name for a bit; empty when it has none.
  std::string_view name_of(const CpuidBit& bit) const;

 private:
  void add_newer_names();

  std::vector<Feature> features_;
  struct Alias {
    std::string name;
    std::size_t feature;
  };
  std::vector<Alias> aliases_;
};

}  // namespace virttdx::domain_xml
