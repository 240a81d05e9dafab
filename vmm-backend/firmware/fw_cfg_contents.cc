// SPDX-License-Identifier: GPL-2.0-or-later
#include "firmware/fw_cfg_contents.h"

#include <algorithm>
#include <array>
#include <limits>

#include "devices/fw_cfg/fw_cfg_spec.h"
#include "firmware/boot_order.h"
#include "firmware/smbios/smbios.h"
#include "firmware/uuid_bytes.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace fw_cfg_spec;

namespace {

using Bytes = std::vector<std::byte>;

// etc/e820 (edk2 OvmfPkg/Library/PlatformInitLib/MemDetect.c): entries of base u64, length u64, type u32.
constexpr std::size_t kE820EntrySize = 20;
constexpr std::uint32_t kE820Ram = 1;

// etc/system-states: a byte for each of S0 to S5, bit 7 for offered, the rest SLP_TYP. S0 and S5 are.
constexpr std::array<std::uint8_t, 6> kSystemStates = {0x80, 0, 0, 0, 0, 0x80};

template <typename T>
Bytes little_endian(T value) {
  Bytes bytes(sizeof(T));
  store_le<T>(bytes, 0, value);
  return bytes;
}

Bytes e820(std::span<const GpaRange> ram) {
  Bytes bytes(ram.size() * kE820EntrySize);
  for (std::size_t i = 0; i < ram.size(); ++i) {
    const std::span entry = std::span(bytes).subspan(i * kE820EntrySize, kE820EntrySize);
    store_le<std::uint64_t>(entry, 0, ram[i].base().value);
    store_le<std::uint64_t>(entry, 8, ram[i].size());
    store_le<std::uint32_t>(entry, 16, kE820Ram);
  }
  return bytes;
}

Bytes system_states() {
  Bytes bytes;
  for (const std::uint8_t state : kSystemStates) bytes.push_back(static_cast<std::byte>(state));
  return bytes;
}

}  // namespace

Result<> add_fw_cfg_files(FwCfgItems& items, const std::map<std::string, Bytes>& files) {
  Bytes directory(4 + files.size() * kFileEntrySize);
  store_le(std::span(directory), 0, __builtin_bswap32(static_cast<std::uint32_t>(files.size())));
  std::uint16_t key = kFirstFile;
  std::span rest = std::span(directory).subspan(4);
  for (const auto& [name, content] : files) {
    if (name.size() >= kFileNameSize)
      return fail(Error::Code::InvalidArgument, "fw_cfg file name '{}' exceeds {} bytes", name,
                  kFileNameSize - 1);
    store_le(rest, 0, __builtin_bswap32(static_cast<std::uint32_t>(content.size())));
    store_le(rest, 4, __builtin_bswap16(key));
    std::transform(name.begin(), name.end(), rest.begin() + 8,
                   [](char c) { return static_cast<std::byte>(c); });
    items[key++] = content;
    rest = rest.subspan(kFileEntrySize);
  }
  items[kFileDirectory] = std::move(directory);
  return {};
}

Result<FwCfgItems> fw_cfg_contents(const FirmwareInputs& inputs) {
  if (inputs.acpi.x2apic_ids.size() > std::numeric_limits<std::uint16_t>::max())
    return fail(Error::Code::InvalidArgument, "{} vCPUs exceed fw_cfg's 65535",
                inputs.acpi.x2apic_ids.size());
  std::uint64_t ram_size = 0;
  for (const GpaRange& range : inputs.ram) ram_size += range.size();
  const auto vcpus = static_cast<std::uint16_t>(inputs.acpi.x2apic_ids.size());
  FwCfgItems items;
  items[kSignature] = {std::byte{'Q'}, std::byte{'E'}, std::byte{'M'}, std::byte{'U'}};
  items[kId] = little_endian(kIdTraditional | kIdDma);
  const auto uuid = TRY(uuid_bytes(inputs.uuid));
  items[kUuid].assign(uuid.begin(), uuid.end());
  items[kRamSize] = little_endian(ram_size);
  items[kCpuCount] = little_endian(vcpus);
  items[kBootMenu] = little_endian(std::uint16_t{0});
  items[kMaximumCpuCount] = little_endian(vcpus);
  AcpiFiles acpi = acpi_files(inputs.acpi);
  SmbiosFiles smbios =
      TRY(smbios_files({.uuid = inputs.uuid,
                        .texts = inputs.smbios,
                        .ram = inputs.ram,
                        .vcpu_count = static_cast<std::uint32_t>(inputs.acpi.x2apic_ids.size()),
                        .cpuid = inputs.cpuid}));
  std::map<std::string, Bytes> files = {{"etc/e820", e820(inputs.ram)},
                                        {"etc/system-states", system_states()},
                                        {kAcpiRsdpFile, std::move(acpi.rsdp)},
                                        {kAcpiTablesFile, std::move(acpi.tables)},
                                        {kAcpiLoaderFile, std::move(acpi.loader)},
                                        {kSmbiosAnchorFile, std::move(smbios.anchor)},
                                        {kSmbiosTablesFile, std::move(smbios.tables)}};
  if (Bytes order = boot_order_file(inputs.devices); !order.empty()) files[kBootOrderFile] = std::move(order);
  TRY(add_fw_cfg_files(items, files));
  return items;
}

}  // namespace virttdx
