// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 1> kFirmwares = {"efi"};
constexpr std::array<std::string_view, 1> kArches = {"x86_64"};
constexpr std::array<std::string_view, 1> kOsTypes = {"hvm"};
constexpr std::array<std::string_view, 4> kBootDevices = {"fd", "hd", "cdrom", "network"};
constexpr std::array<std::string_view, 3> kSmbiosModes = {"emulate", "host", "sysinfo"};

// `<type>`'s text is always hvm: read to be checked, written as it is.
struct OsDocument : Os {
  std::string type = "hvm";
};
struct Boot {
  std::string device;
};

constexpr std::array kHeadTable = {
    property<&OsDocument::firmware, Word<kFirmwares>, OsDocument>("@firmware"),
    property<&OsDocument::arch, Word<kArches>, OsDocument>("type/@arch"),
    property<&OsDocument::machine, NonEmptyText, OsDocument>("type/@machine"),
    property<&OsDocument::type, Word<kOsTypes>, OsDocument>("type", {.required = true}),
};
constexpr std::array kKernelTable = {
    property<&OsDocument::kernel, AbsolutePath, OsDocument>("kernel"),
    property<&OsDocument::initrd, AbsolutePath, OsDocument>("initrd"),
    property<&OsDocument::cmdline, Text, OsDocument>("cmdline"),
};
constexpr std::array kFirmwareSettingsTable = {
    property<&OsDocument::boot_menu, YesNo, OsDocument>("bootmenu/@enable"),
    property<&OsDocument::boot_menu_timeout, Number, OsDocument>("bootmenu/@timeout"),
    property<&OsDocument::bios_serial, YesNo, OsDocument>("bios/@useserial"),
    property<&OsDocument::bios_reboot_timeout, SignedNumber, OsDocument>("bios/@rebootTimeout"),
    property<&OsDocument::smbios_mode, Word<kSmbiosModes>, OsDocument>("smbios/@mode"),
};
constexpr std::array kBootTable = {property<&Boot::device, Word<kBootDevices>>("@dev", {.required = true})};
constexpr std::array kChildren = {ChildRule{"firmware"}, ChildRule{"loader"}, ChildRule{"nvram"},
                                  ChildRule{"boot", true}};

}  // namespace

Result<Os> read_os(const Place& place) {
  OsDocument os;
  TRY(read_properties(place, join_tables(kHeadTable, kKernelTable, kFirmwareSettingsTable), os, kChildren));
  for (const auto& child : place.element.children) {
    const auto inner = place.child(child);
    if (child.name == "firmware") os.firmware_features = TRY(read_firmware_features(inner));
    if (child.name == "loader") os.loader = TRY(read_loader(inner));
    if (child.name == "nvram") os.nvram = TRY(read_nvram(inner));
    if (child.name != "boot") continue;
    Boot boot;
    TRY(read_properties(inner, kBootTable, boot));
    os.boot_devices.push_back(std::move(boot.device));
  }
  return os;
}

void write_os(xml::Element& parent, const Os& os, const WriteContext& context) {
  auto& element = parent.add_child("os");
  const OsDocument document{os};
  write_properties(element, kHeadTable, document, context);
  write_firmware_features(element, os.firmware_features, context);
  if (os.loader) write_loader(element, *os.loader, context);
  if (os.nvram) write_nvram(element, *os.nvram, context);
  write_properties(element, kKernelTable, document, context);
  for (const auto& device : os.boot_devices)
    write_properties(element.add_child("boot"), kBootTable, Boot{device}, context);
  write_properties(element, kFirmwareSettingsTable, document, context);
}

}  // namespace virttdx::domain_xml
