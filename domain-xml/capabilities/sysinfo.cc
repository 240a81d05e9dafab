// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/sysinfo.h"

#include <array>

#include "xml/element.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

struct Entry {
  std::string_view section, name, kernel_name;
};
// In libvirt's order; the kernel's names are those of Documentation/ABI/testing/sysfs-firmware-dmi-tables' id
// folder.
constexpr auto kEntries = std::to_array<Entry>({
    {"bios", "vendor", "bios_vendor"},
    {"bios", "version", "bios_version"},
    {"bios", "date", "bios_date"},
    {"bios", "release", "bios_release"},
    {"system", "manufacturer", "sys_vendor"},
    {"system", "product", "product_name"},
    {"system", "version", "product_version"},
    {"system", "serial", "product_serial"},
    {"system", "uuid", "product_uuid"},
    {"system", "sku", "product_sku"},
    {"system", "family", "product_family"},
    {"baseBoard", "manufacturer", "board_vendor"},
    {"baseBoard", "product", "board_name"},
    {"baseBoard", "version", "board_version"},
    {"baseBoard", "serial", "board_serial"},
    {"baseBoard", "asset", "board_asset_tag"},
    {"chassis", "manufacturer", "chassis_vendor"},
    {"chassis", "version", "chassis_version"},
    {"chassis", "serial", "chassis_serial"},
    {"chassis", "asset", "chassis_asset_tag"},
});

}  // namespace

std::optional<std::string> format_sysinfo(const std::function<std::string(std::string_view)>& value) {
  xml::Element root;
  root.name = "sysinfo";
  root.add_attribute("type", "smbios");
  for (const auto& entry : kEntries) {
    auto text = value(entry.kernel_name);
    if (text.empty()) continue;
    if (root.children.empty() || root.children.back().name != entry.section) root.add_child(entry.section);
    auto& element = root.children.back().add_child("entry");
    element.add_attribute("name", std::string(entry.name));
    element.set_text(std::move(text));
  }
  if (root.children.empty()) return std::nullopt;
  return xml::write_element(root);
}

}  // namespace virttdx::domain_xml
