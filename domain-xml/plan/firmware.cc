// SPDX-License-Identifier: GPL-2.0-or-later
// `<loader>` or the host's firmware descriptors to one TDVF image.
#include "plan/firmware.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "domain_xml/machine_name.h"
#include "plan/firmware_verdict.h"
#include "plan/planning.h"
#include "support/file.h"
#include "vmm_backend/tdvf.h"

namespace virttdx::domain_xml {
namespace {

using nlohmann::json;

constexpr auto kLoaderPath = "/domain/os/loader";
constexpr std::size_t kMaximumDescriptorSize = 1U << 20;

// What a TD cannot have: its firmware is measured private memory, without flash behind it.
void refuse_flash(Planning& planning) {
  const auto& os = planning.domain.os;
  if (os.loader && os.loader->type == "pflash")
    planning.error("firmware-pflash", kLoaderPath,
                   "loader type 'pflash' is not possible: a TD has no read-only memory for flash",
                   "use <loader type='rom'> with a combined image such as /usr/share/ovmf/OVMF.fd");
  if (os.loader && os.loader->secure == true)
    planning.error("firmware-secure", kLoaderPath,
                   "loader secure='yes' is not possible: it needs system management mode, which TDX lacks",
                   "remove the attribute 'secure'");
  if (os.nvram || (os.loader && os.loader->stateless == false))
    planning.error("firmware-nvram", os.nvram ? "/domain/os/nvram" : kLoaderPath,
                   "a TD's firmware keeps no variables in a file", "remove <nvram> and stateless='no'");
  if (os.loader && os.loader->format == "qcow2")
    planning.error("firmware-format", kLoaderPath, "loader format 'qcow2' is not offered", "use a raw image");
}

bool has_string(const json& array, std::string_view text) {
  if (!array.is_array()) return false;
  for (const auto& item : array)
    if (item.is_string() && item.get_ref<const std::string&>() == text) return true;
  return false;
}

json member(const json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object[name] : json();
}

bool fits_machine(const json& targets, const std::string& machine) {
  if (!targets.is_array()) return false;
  for (const auto& target : targets) {
    if (member(target, "architecture") != "x86_64") continue;
    for (const auto& pattern : member(target, "machines"))
      if (pattern.is_string() &&
          fnmatch(pattern.get_ref<const std::string&>().c_str(), machine.c_str(), 0) == 0)
        return true;
  }
  return false;
}

// A firmware that is meant for TDs, by its descriptor (QEMU, docs/interop/firmware.json).
struct Selection {
  std::string image;
  std::filesystem::path descriptor;
  json features;
};

bool has(const Selection& selection, const FirmwareFeature& feature) {
  return has_string(selection.features, feature.name) == feature.enabled;
}

// `machine` by its versioned name, as descriptors name it.
std::optional<Selection> selection_of(const std::filesystem::path& path, const std::string& machine) {
  const auto text = read_text_file(path, kMaximumDescriptorSize);
  const auto descriptor = text ? json::parse(*text, nullptr, false) : json();
  const auto features = member(descriptor, "features"), mapping = member(descriptor, "mapping");
  const auto filename = member(mapping, "filename");
  if (!has_string(member(descriptor, "interface-types"), "uefi") || !has_string(features, "intel-tdx") ||
      !fits_machine(member(descriptor, "targets"), machine) || member(mapping, "device") != "memory" ||
      !filename.is_string())
    return std::nullopt;
  return Selection{filename.get<std::string>(), path, features};
}

// Descriptors in the order of their names, whichever folder they are in.
std::map<std::string, std::filesystem::path> descriptors(const PlanSources& sources) {
  std::map<std::string, std::filesystem::path> found;
  for (const auto& folder : sources.firmware_descriptors) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.path().extension() == ".json") found.try_emplace(entry.path().filename(), entry.path());
  }
  return found;
}

std::vector<Selection> selections(const PlanSources& sources, const std::string& machine) {
  std::vector<Selection> found;
  for (const auto& [name, path] : descriptors(sources))
    if (auto selection = selection_of(path, machine)) found.push_back(*std::move(selection));
  return found;
}

struct UnusableWords {
  TdvfDiagnosis diagnosis;
  const char* id;
  const char* what;  // of the file
};
// In the order of TdvfDiagnosis.
constexpr std::array kUnusable = {
    UnusableWords{TdvfDiagnosis::VariablesHalf, "firmware-variables-half",
                  "is the variable half of a pair (OVMF_VARS): it has no code to start"},
    UnusableWords{
        TdvfDiagnosis::CodeHalf, "firmware-code-half",
        "is the code half of a pair (OVMF_CODE): the other half is flash, which a TD does not have"},
    UnusableWords{TdvfDiagnosis::NoMetadata, "firmware-no-metadata",
                  "has no TDVF metadata: it is no firmware for TDs"},
    UnusableWords{TdvfDiagnosis::MetadataDisagrees, "firmware-metadata-disagrees",
                  "has TDVF metadata that disagrees with the file"},
};

// A TD with any of these would hang silently.
void check_firmware(Planning& planning, const std::string& path) {
  const auto unusable = examine_firmware(path);
  if (!unusable) {
    planning.error("firmware-unreadable", kLoaderPath,
                   fmt::format("firmware cannot be read: {}", unusable.error().message()),
                   "name a file that is there, or use firmware='efi' without <loader>");
    return;
  }
  if (!*unusable) return;
  const auto& [diagnosis, why] = **unusable;
  const auto& words = kUnusable.at(static_cast<std::size_t>(diagnosis));
  CHECK(words.diagnosis == diagnosis);
  planning.error(words.id, kLoaderPath, fmt::format("firmware '{}' {} ({})", path, words.what, why),
                 "use a combined image with TDVF metadata such as /usr/share/ovmf/OVMF.fd, or firmware='efi' "
                 "without <loader>");
}

bool is_wanted(const FirmwareFeature& feature) { return feature.enabled == true; }

// No descriptor has what the definition asks for. The fallback enforces no Secure Boot: it has no keys.
std::string fall_back(Planning& planning) {
  const auto& features = planning.domain.os.firmware_features;
  const auto asked = std::ranges::find_if(features, is_wanted);
  if (asked != features.end())
    planning.error(
        "firmware-feature", "/domain/os/firmware/feature",
        fmt::format("no firmware descriptor of this host has the features intel-tdx and {}", asked->name),
        "install such a firmware (Debian: ovmf-inteltdx), or remove the feature");
  else
    planning.add(Severity::Note, "firmware-fallback", "/domain/os",
                 fmt::format("no firmware descriptor of this host has the feature intel-tdx; '{}' is used",
                             planning.sources.fallback_firmware.string()));
  return planning.sources.fallback_firmware;
}

void warn_of_unwanted(Planning& planning, const Selection& selection) {
  for (const auto& feature : planning.domain.os.firmware_features)
    if (!has(selection, feature))
      planning.add(
          Severity::Warning, "firmware-feature-unwanted", "/domain/os/firmware/feature",
          fmt::format("firmware '{}' has {}, which the definition does not want: this host has no firmware "
                      "for TDs without it",
                      selection.image, feature.name),
          "boot signed loaders and kernels, or install a descriptor with intel-tdx and without the feature");
}

// What is not wanted yields: firmware without the feature intel-tdx may start no TD at all, and Nova wants no
// Secure Boot wherever nobody asked for it. What is wanted does not.
std::optional<Selection> select_firmware(Planning& planning, const std::string& machine) {
  const auto& features = planning.domain.os.firmware_features;
  const auto found = selections(planning.sources, machine);
  for (const auto& selection : found)
    if (std::ranges::all_of(features, [&](const auto& feature) { return has(selection, feature); }))
      return selection;
  if (found.empty() || std::ranges::any_of(features, is_wanted)) return std::nullopt;
  warn_of_unwanted(planning, found.front());
  return found.front();
}

std::string resolve_firmware(Planning& planning) {
  const auto machine = planning.domain.os.machine.value_or("q35");
  const auto selection = select_firmware(planning, canonical_machine(machine).value_or(machine));
  if (!selection) return fall_back(planning);
  planning.add(Severity::Note, "firmware-selected", "/domain/os",
               fmt::format("firmware '{}' is chosen by the descriptor '{}'", selection->image,
                           selection->descriptor.string()));
  return selection->image;
}

}  // namespace

std::vector<std::string> firmware_for_trust_domains(const PlanSources& sources, const std::string& machine) {
  std::vector<std::string> images;
  for (auto& selection : selections(sources, machine)) images.push_back(std::move(selection.image));
  images.push_back(sources.fallback_firmware);
  std::vector<std::string> usable;
  for (auto& image : images)
    if (const auto unusable = examine_firmware(image);
        unusable && !*unusable && std::ranges::count(usable, image) == 0)
      usable.push_back(std::move(image));
  return usable;
}

void plan_firmware(Planning& planning) {
  refuse_flash(planning);
  const auto& loader = planning.domain.os.loader;
  auto& path = planning.plan.config.firmware_path;
  path = loader && !loader->path.empty() ? loader->path : resolve_firmware(planning);
  check_firmware(planning, path);
}

}  // namespace virttdx::domain_xml
