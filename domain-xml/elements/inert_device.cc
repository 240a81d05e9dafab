// SPDX-License-Identifier: GPL-2.0-or-later
// Devices that clients write into every domain and that change nothing in a TD. The list stays short: what
// would change something, however little, is refused by name.
#include <algorithm>
#include <array>

#include "elements/elements.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

struct InertForm {
  std::string_view xml;  // '*' as a value stands for any
  std::string_view reason;
};

// In libvirt's order of elements.
constexpr std::array kInertForms = {
    InertForm{"<controller type='pci' index='0' model='pcie-root'/>",
              "every Q35 machine has this root complex"},
    InertForm{"<controller type='usb' index='*' model='none'/>", "says that there is none"},
    InertForm{"<input type='keyboard' bus='ps2'/>", "the machine has an i8042; nothing types into it"},
    InertForm{"<input type='mouse' bus='ps2'/>", "as the keyboard"},
    InertForm{"<audio id='*' type='none'/>", "says that there is none"},
    InertForm{"<video><model type='none'/></video>", "says that there is none"},
    InertForm{"<memballoon model='none'/>", "says that there is none"},
};

std::string_view element_of(const InertForm& form) {
  return form.xml.substr(1, form.xml.find_first_of(" >") - 1);
}

bool matches(const xml::Element& element, const xml::Element& form) {
  if (element.name != form.name || !element.uri.empty() ||
      element.attributes.size() != form.attributes.size() ||
      element.children.size() != form.children.size() ||
      element.text().find_first_not_of(" \t\r\n") != std::string::npos)
    return false;
  const bool attributes = std::ranges::all_of(form.attributes, [&](const auto& wanted) {
    const auto* actual = element.attribute(wanted.name);
    return actual != nullptr && (wanted.value == "*" || actual->value == wanted.value);
  });
  return attributes && std::ranges::equal(element.children, form.children, matches);
}

// The form with the document's values: attributes in the canonical order.
xml::Element canonical(const xml::Element& element, xml::Element form) {
  for (auto& attribute : form.attributes) attribute.value = element.attribute(attribute.name)->value;
  return form;
}

xml::Element parsed(std::string_view xml) {
  auto element = xml::read_document(xml);
  CHECK(element.has_value());
  return *std::move(element);
}

std::size_t rank_of(std::string_view element) {
  const auto found = std::ranges::find(kInertForms, element, element_of);
  return static_cast<std::size_t>(found - kInertForms.begin());
}

}  // namespace

bool is_inert_device(std::string_view element) { return rank_of(element) < kInertForms.size(); }

bool comes_before_serials(std::string_view element) { return element == "controller"; }

Result<InertDevice> read_inert_device(const Place& place) {
  std::string accepted;
  for (const auto& form : kInertForms) {
    if (element_of(form) != place.element.name) continue;
    auto form_element = parsed(form.xml);
    if (matches(place.element, form_element)) {
      auto xml = xml::write_element(canonical(place.element, std::move(form_element)));
      return InertDevice{place.element.name, std::move(xml)};
    }
    accepted += accepted.empty() ? "" : " or ";
    accepted += form.xml;
  }
  return fail_at(place.element, Error::Code::ConfigUnsupported,
                 "'{}' of this kind is not offered by this driver (accepted without effect: {}); remove it",
                 place.path, accepted);
}

void sort_inert_devices(std::vector<InertDevice>& devices) {
  std::ranges::stable_sort(devices, {}, [](const InertDevice& device) { return rank_of(device.element); });
}

void write_inert_device(xml::Element& parent, const InertDevice& device) {
  parent.children.push_back(parsed(device.xml));
}

}  // namespace virttdx::domain_xml
