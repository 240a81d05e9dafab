// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/smbios/smbios.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "firmware/smbios/structures.h"
#include "firmware/uuid_bytes.h"

namespace virttdx {

using namespace smbios_spec;

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::string_view kManufacturer = "virttdx";
constexpr std::string_view kProduct = "TDX Q35 machine";
constexpr std::uint64_t kKiB = 1024, kMiB = kKiB * kKiB;

// Handles: type in the high byte.
constexpr std::uint16_t handle_of(std::uint8_t type, std::size_t number = 0) {
  return static_cast<std::uint16_t>(type << 8 | number);
}

std::string_view text_or(const std::string& text, std::string_view own) { return text.empty() ? own : text; }

Bytes bios(const SmbiosConfig::Bios& texts) {
  constexpr std::uint16_t kNoSegment = 0;
  SmbiosStructure structure(kBios, handle_of(kBios));
  structure.add_text(text_or(texts.vendor, kManufacturer)).add_text(text_or(texts.version, "0"));
  structure.add(kNoSegment).add_text(text_or(texts.date, "01/01/2026")).add(std::uint8_t{0});
  structure.add(kBiosCharacteristicsUnsupported).add(std::uint8_t{0});
  structure.add(static_cast<std::uint8_t>(kBiosExtension2Uefi | kBiosExtension2VirtualMachine));
  const std::uint16_t release = texts.release.value_or(kNoRelease << 8 | kNoRelease);
  structure.add(static_cast<std::uint8_t>(release >> 8)).add(static_cast<std::uint8_t>(release));
  return std::move(structure.add(kNoRelease).add(kNoRelease)).finish();
}

// 7.2.1: the first three fields of a UUID are little-endian.
std::array<std::byte, 16> wire_uuid(const std::array<std::byte, 16>& bytes) {
  auto wire = bytes;
  std::reverse(wire.begin(), wire.begin() + 4);
  std::reverse(wire.begin() + 4, wire.begin() + 6);
  std::reverse(wire.begin() + 6, wire.begin() + 8);
  return wire;
}

Bytes system(const SmbiosConfig::System& texts, const std::array<std::byte, 16>& uuid) {
  SmbiosStructure structure(kSystem, handle_of(kSystem));
  structure.add_text(text_or(texts.manufacturer, kManufacturer)).add_text(text_or(texts.product, kProduct));
  structure.add_text(texts.version).add_text(texts.serial);
  structure.add(wire_uuid(uuid)).add(kWakeupPowerSwitch);
  return std::move(structure.add_text(texts.sku).add_text(texts.family)).finish();
}

Bytes baseboard(const SmbiosConfig::Baseboard& texts, std::size_t number) {
  SmbiosStructure structure(kBaseboard, handle_of(kBaseboard, number));
  structure.add_text(text_or(texts.manufacturer, kManufacturer)).add_text(text_or(texts.product, kProduct));
  structure.add_text(texts.version).add_text(texts.serial).add_text(texts.asset).add(kBoardHosting);
  structure.add_text(texts.location).add(handle_of(kChassis)).add(kBoardTypeMotherboard);
  return std::move(structure.add(std::uint8_t{0})).finish();
}

Bytes chassis(const SmbiosConfig::Chassis& texts) {
  SmbiosStructure structure(kChassis, handle_of(kChassis));
  structure.add_text(text_or(texts.manufacturer, kManufacturer)).add(kChassisOther);
  structure.add_text(texts.version).add_text(texts.serial).add_text(texts.asset);
  structure.add(kStateSafe).add(kStateSafe).add(kStateSafe).add(kSecurityUnknown);
  constexpr std::uint32_t kOem = 0;
  constexpr std::uint8_t kUnspecified = 0;  // height, power cords, contained elements and their length
  structure.add(kOem).add(kUnspecified).add(kUnspecified).add(kUnspecified).add(kUnspecified);
  return std::move(structure.add_text(texts.sku)).finish();
}

struct Packages {
  std::uint32_t count;
  std::uint32_t cores;    // a package
  std::uint32_t threads;  // a package
};

// Leaf 0xB: sub-leaf 0 has the threads of a core, sub-leaf 1 those of a package.
Packages packages_of(const CpuidEntries& cpuid, std::uint32_t vcpus) {
  const CpuidEntry* core = find_cpuid(cpuid, 0xB, 0);
  const CpuidEntry* package = find_cpuid(cpuid, 0xB, 1);
  const std::uint32_t in_core = core == nullptr ? 1 : std::max(core->ebx & 0xFFFF, 1U);
  const std::uint32_t in_package = package == nullptr ? vcpus : std::max(package->ebx & 0xFFFF, 1U);
  return {(vcpus + in_package - 1) / in_package, std::max(in_package / in_core, 1U), in_package};
}

Bytes processor(const SmbiosInputs& inputs, const Packages& packages, std::size_t number) {
  constexpr std::uint8_t kNoText = 0;
  constexpr std::uint16_t kSpeedUnknown = 0;
  const CpuidEntry* features = find_cpuid(inputs.cpuid, 1, 0);
  SmbiosStructure structure(kProcessor, handle_of(kProcessor, number));
  structure.add_text(fmt::format("CPU {}", number)).add(kCentralProcessor).add(kFamilyOther);
  structure.add_text(kManufacturer);
  structure.add(features == nullptr ? 0U : features->eax).add(features == nullptr ? 0U : features->edx);
  structure.add(kNoText).add(std::uint8_t{0}).add(kSpeedUnknown).add(kSpeedUnknown).add(kSpeedUnknown);
  structure.add(kPopulatedAndEnabled).add(kUpgradeOther);
  structure.add(kNoCacheHandle).add(kNoCacheHandle).add(kNoCacheHandle);
  structure.add(kNoText).add(kNoText).add(kNoText);
  const auto small = [](std::uint32_t count) { return static_cast<std::uint8_t>(std::min(count, 255U)); };
  structure.add(small(packages.cores)).add(small(packages.cores)).add(small(packages.threads));
  structure.add(kProcessor64Bit).add(static_cast<std::uint16_t>(kFamilyOther));
  const auto large = [](std::uint32_t count) { return static_cast<std::uint16_t>(count); };
  structure.add(large(packages.cores)).add(large(packages.cores)).add(large(packages.threads));
  return std::move(structure).finish();
}

Bytes memory_array(std::uint64_t ram_bytes) {
  SmbiosStructure structure(kMemoryArray, handle_of(kMemoryArray));
  structure.add(kLocationOther).add(kUseSystemMemory).add(kMultiBitEcc);
  structure.add(kCapacityExtended).add(kNotProvided).add(std::uint16_t{1}).add(ram_bytes);
  return std::move(structure).finish();
}

Bytes memory_device(std::uint64_t ram_bytes) {
  const std::uint64_t size = ram_bytes / kMiB;
  const bool extended = size >= kSizeExtended;
  SmbiosStructure structure(kMemoryDevice, handle_of(kMemoryDevice));
  structure.add(handle_of(kMemoryArray)).add(kNotProvided).add(kWidthUnknown).add(kWidthUnknown);
  structure.add(extended ? kSizeExtended : static_cast<std::uint16_t>(size));
  structure.add(kFormFactorDimm).add(std::uint8_t{0}).add_text("DIMM 0").add(std::uint8_t{0});
  structure.add(kTypeRam).add(kTypeDetailOther).add(std::uint16_t{0}).add_text(kManufacturer);
  structure.add(std::uint8_t{0}).add(std::uint8_t{0}).add(std::uint8_t{0}).add(std::uint8_t{0});
  structure.add(extended ? static_cast<std::uint32_t>(size) : 0U);
  constexpr std::uint16_t kUnknown = 0;  // speed and voltages
  return std::move(structure.add(kUnknown).add(kUnknown).add(kUnknown).add(kUnknown)).finish();
}

Bytes memory_mapping(const GpaRange& range, std::size_t number) {
  constexpr std::uint32_t kExtendedAddresses = 0xFFFFFFFF;
  SmbiosStructure structure(kMemoryArrayMapping, handle_of(kMemoryArrayMapping, number));
  structure.add(kExtendedAddresses).add(kExtendedAddresses).add(handle_of(kMemoryArray)).add(std::uint8_t{1});
  return std::move(structure.add(range.base().value).add(range.end().value - 1)).finish();
}

Bytes oem_strings(const std::vector<std::string>& texts) {
  SmbiosStructure structure(kOemStrings, handle_of(kOemStrings));
  structure.add(static_cast<std::uint8_t>(texts.size()));
  for (const std::string& text : texts) structure.add_unnamed_text(text);
  return std::move(structure).finish();
}

Bytes boot_status() {
  constexpr std::array<std::byte, 7> kReservedAndNoError{};
  SmbiosStructure structure(kBootStatus, handle_of(kBootStatus));
  return std::move(structure.add(kReservedAndNoError)).finish();
}

std::vector<Bytes> structures(const SmbiosInputs& inputs, const std::array<std::byte, 16>& uuid) {
  const SmbiosConfig& texts = inputs.texts;
  std::vector<Bytes> all = {bios(texts.bios), system(texts.system, uuid)};
  for (std::size_t i = 0; i < texts.baseboards.size(); ++i) all.push_back(baseboard(texts.baseboards[i], i));
  all.push_back(chassis(texts.chassis));
  const Packages packages = packages_of(inputs.cpuid, inputs.vcpu_count);
  // More than 256 would need handles of other types; a guest counts its vCPUs elsewhere.
  for (std::size_t i = 0; i < std::min(packages.count, 256U); ++i)
    all.push_back(processor(inputs, packages, i));
  if (!texts.oem_strings.empty()) all.push_back(oem_strings(texts.oem_strings));
  const std::uint64_t bytes =
      std::accumulate(inputs.ram.begin(), inputs.ram.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const GpaRange& range) { return sum + range.size(); });
  all.push_back(memory_array(bytes));
  all.push_back(memory_device(bytes));
  for (std::size_t i = 0; i < inputs.ram.size(); ++i) all.push_back(memory_mapping(inputs.ram[i], i));
  all.push_back(boot_status());
  all.push_back(std::move(SmbiosStructure(kEndOfTable, handle_of(kEndOfTable))).finish());
  return all;
}

// The address of the tables is the firmware's to fill in.
Bytes entry_point(std::size_t tables_size) {
  Bytes bytes(kAnchorSize);
  const std::span anchor(bytes);
  std::ranges::transform(std::string_view("_SM3_"), bytes.begin(),
                         [](char c) { return static_cast<std::byte>(c); });
  store_le<std::uint8_t>(anchor, kAnchorLength, kAnchorSize);
  store_le(anchor, kAnchorMajor, kMajor);
  store_le(anchor, kAnchorMinor, kMinor);
  store_le(anchor, kAnchorRevision, kEntryPointRevision);
  store_le(anchor, kAnchorMaximumSize, static_cast<std::uint32_t>(tables_size));
  const unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U, [](unsigned total, std::byte byte) {
    return total + std::to_integer<unsigned>(byte);
  });
  bytes[kAnchorChecksum] = static_cast<std::byte>(-sum);
  return bytes;
}

}  // namespace

Result<SmbiosFiles> smbios_files(const SmbiosInputs& inputs) {
  constexpr std::size_t kHandlesOfAType = 256, kTextsOfAStructure = 255;
  if (inputs.texts.baseboards.size() > kHandlesOfAType ||
      inputs.texts.oem_strings.size() > kTextsOfAStructure)
    return fail(Error::Code::InvalidArgument, "{} baseboards and {} OEM strings: SMBIOS takes {} and {}",
                inputs.texts.baseboards.size(), inputs.texts.oem_strings.size(), kHandlesOfAType,
                kTextsOfAStructure);
  SmbiosFiles files;
  for (const Bytes& structure : structures(inputs, TRY(uuid_bytes(inputs.uuid))))
    files.tables.insert(files.tables.end(), structure.begin(), structure.end());
  files.anchor = entry_point(files.tables.size());
  return files;
}

}  // namespace virttdx
