// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/public_form.h"

#include "elements/elements.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

void remove_cookies(xml::Element& element) {
  std::erase_if(element.children, [](const xml::Element& child) { return child.name == "cookies"; });
  // Of the disk's own source and of those in the chain of its backing stores.
  for (auto& child : element.children) remove_cookies(child);
}

void remove_password(xml::Element& graphics) {
  std::erase_if(graphics.attributes,
                [](const xml::Attribute& attribute) { return attribute.name == "passwd"; });
}

void remove_secrets(xml::Element& devices) {
  for (auto& device : devices.children) {
    if (device.name == "disk") remove_cookies(device);
    if (device.name == "graphics") remove_password(device);
  }
}

}  // namespace

std::string format_without_secrets(const Domain& domain, const FormatOptions& options) {
  auto root = write_domain(domain, {.inactive = options.inactive});
  for (auto& section : root.children)
    if (section.name == "devices") remove_secrets(section);
  return xml::write_element(root);
}

}  // namespace virttdx::domain_xml
