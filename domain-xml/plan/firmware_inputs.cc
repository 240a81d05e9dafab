// SPDX-License-Identifier: GPL-2.0-or-later
// What the firmware is handed: a kernel, SMBIOS texts, the boot order.
#include <charconv>

#include "elements/shape.h"
#include "plan/planning.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

void plan_kernel(Planning& planning) {
  const auto& os = planning.domain.os;
  if (os.kernel) {
    planning.plan.config.kernel = KernelBootConfig{*os.kernel, os.initrd, os.cmdline.value_or("")};
  } else if (os.initrd || os.cmdline) {
    planning.error("kernel-missing", "/domain/os/kernel", "<initrd> and <cmdline> need a <kernel>",
                   "add <kernel>, or remove them");
  }
}

std::string entry(const xml::Element& parent, const char* block, std::string_view name) {
  const auto* element = parent.child(block);
  if (element == nullptr) return {};
  for (const auto& candidate : element->children)
    if (const auto* found = candidate.attribute("name"); found != nullptr && found->value == name)
      return candidate.text();
  return {};
}

// "MAJOR.MINOR", two bytes of type 0.
std::optional<std::uint16_t> release(const std::string& text) {
  unsigned major = 0, minor = 0;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc() || second.ptr != end || major > 0xFF || minor > 0xFF) return std::nullopt;
  return static_cast<std::uint16_t>(major << 8 | minor);
}

SmbiosConfig::Baseboard baseboard(const xml::Element& element) {
  xml::Element parent;
  parent.children.push_back(element);
  const auto text = [&](const char* name) { return entry(parent, "baseBoard", name); };
  return {text("manufacturer"), text("product"), text("version"),
          text("serial"),       text("asset"),   text("location")};
}

SmbiosConfig smbios_config(const xml::Element& sysinfo) {
  const auto text = [&](const char* block, const char* name) { return entry(sysinfo, block, name); };
  SmbiosConfig config;
  config.bios = {text("bios", "vendor"), text("bios", "version"), text("bios", "date"),
                 release(text("bios", "release"))};
  config.system = {text("system", "manufacturer"), text("system", "product"), text("system", "version"),
                   text("system", "serial"),       text("system", "sku"),     text("system", "family")};
  config.chassis = {text("chassis", "manufacturer"), text("chassis", "version"), text("chassis", "serial"),
                    text("chassis", "asset"), text("chassis", "sku")};
  for (const auto& child : sysinfo.children) {
    if (child.name == "baseBoard") config.baseboards.push_back(baseboard(child));
    if (child.name != "oemStrings") continue;
    for (const auto& string : child.children) config.oem_strings.push_back(string.text());
  }
  return config;
}

// libvirt's rule: the system's uuid, where written, is the domain's, in any spelling.
void check_uuid(Planning& planning, const xml::Element& sysinfo, int line) {
  const auto uuid = entry(sysinfo, "system", "uuid");
  if (uuid.empty()) return;
  if (const auto canonical = Uuid::decode(uuid); canonical && *canonical == planning.domain.uuid) return;
  planning
      .error("sysinfo-uuid", "/domain/sysinfo/system",
             fmt::format("the system's uuid '{}' differs from the domain's '{}'", uuid, planning.domain.uuid),
             "make both equal, or remove the entry")
      .line = line;
}

void plan_smbios(Planning& planning) {
  const auto mode = planning.domain.os.smbios_mode.value_or("emulate");
  if (mode == "host")
    planning.error("smbios-host", "/domain/os/smbios",
                   "smbios mode 'host' is not offered: a TD is told nothing of the host's tables",
                   "use mode='sysinfo' with a <sysinfo>");
  for (const auto& other : planning.domain.others) {
    if (other.element != "sysinfo" || mode != "sysinfo") continue;
    const auto sysinfo = parsed(other);
    if (sysinfo.attribute("type")->value != "smbios") continue;
    check_uuid(planning, sysinfo, other.line.number);
    planning.plan.config.smbios = smbios_config(sysinfo);
  }
}

void note_settings_without_effect(Planning& planning) {
  const auto& os = planning.domain.os;
  const auto note = [&](const char* path, const char* message) {
    planning.add(Severity::Note, "firmware-setting-without-effect", path, message, "remove it");
  };
  if (os.boot_menu == true)
    note("/domain/os/bootmenu", "the boot menu is left out: EFI firmware has its own, at the serial console");
  if (!os.firmware_features.empty() && os.loader && !os.loader->path.empty())
    note("/domain/os/firmware", "<firmware> changes nothing: <loader> names the image");
  if (os.bios_serial || os.bios_reboot_timeout)
    note("/domain/os/bios", "<bios> changes nothing: it is for SeaBIOS, a TD has EFI firmware");
}

}  // namespace

void plan_firmware_inputs(Planning& planning) {
  plan_kernel(planning);
  plan_smbios(planning);
  plan_boot_order(planning);
  note_settings_without_effect(planning);
}

}  // namespace virttdx::domain_xml
