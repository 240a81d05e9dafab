// SPDX-License-Identifier: GPL-2.0-or-later
#include "xml/element.h"

#include <algorithm>

namespace virttdx::domain_xml::xml {

const Attribute* Element::attribute(std::string_view attribute_name) const {
  const auto found = std::ranges::find(attributes, attribute_name, &Attribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

std::string Element::attribute_text(std::string_view attribute_name) const {
  const auto* found = attribute(attribute_name);
  return found == nullptr ? std::string() : found->value;
}

const Element* Element::child(std::string_view child_name) const {
  const auto found = std::ranges::find(children, child_name, &Element::name);
  return found == children.end() ? nullptr : &*found;
}

std::string Element::text() const {
  std::string all;
  for (const auto& piece : texts) all += piece;
  return all;
}

Element& Element::add_child(std::string_view child_name) {
  children.emplace_back();
  children.back().name = child_name;
  return children.back();
}

}  // namespace virttdx::domain_xml::xml
