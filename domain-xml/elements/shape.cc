// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shape.h"

#include <algorithm>

#include "elements/device_info.h"
#include "elements/elements.h"
#include "values/codecs.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

Result<> add_value(xml::Element& element, const Place& place, const ShapeAttribute& attribute,
                   std::string_view value) {
  const auto text = attribute.spelling(value);
  if (!text)
    return tl::unexpected<Error>(
        invalid_value(place, "@" + std::string(attribute.name), value, text.error()));
  element.add_attribute(attribute.name, *text);
  return {};
}

Result<> add_attributes(xml::Element& element, const Place& place, const Shape& shape) {
  for (const auto& attribute : shape.attributes) {
    if (const auto* found = place.element.attribute(attribute.name))
      TRY(add_value(element, place, attribute, found->value));
    else if (!attribute.implied.empty())
      element.add_attribute(attribute.name, std::string(attribute.implied));
    else if (attribute.required)
      return tl::unexpected<Error>(missing_value(place, "@" + std::string(attribute.name)));
  }
  return {};
}

Result<> add_children(xml::Element& element, const Place& place, const Shape& shape) {
  for (const auto& child_shape : shape.children)
    for (const auto& child : place.element.children)
      if (child.name == child_shape.name)
        element.children.push_back(TRY(canonical_element(place.child(child), child_shape)));
  return {};
}

Result<> refuse_unknown_parts(const Place& place, const Shape& shape) {
  std::vector<std::string> names;
  for (const auto& attribute : shape.attributes) names.push_back("@" + std::string(attribute.name));
  if (shape.text != nullptr) names.emplace_back(".");
  const std::vector<std::string_view> paths(names.begin(), names.end());
  std::vector<ChildRule> rules;
  for (const auto& child : shape.children) rules.push_back({child.name, child.repeated});
  return refuse_unknown(place, paths, rules);
}

// The size at `shape.size`, in KiB.
Result<> scale_size(xml::Element& element, const Place& place, const Shape& shape) {
  const auto* unit = place.element.attribute("unit");
  const bool is_text = shape.size == ".";
  const auto path = is_text ? std::string(".") : "@" + std::string(shape.size);
  const auto amount = value_at(place.element, path, {}).value_or("");
  const auto kib = scaled_kib(amount, unit == nullptr ? std::nullopt : std::optional(unit->value));
  if (!kib) return tl::unexpected<Error>(invalid_value(place, path, amount, kib.error()));
  for (auto& attribute : element.attributes) {
    if (attribute.name == "unit") attribute.value = "KiB";
    if (attribute.name == shape.size) attribute.value = std::to_string(*kib);
  }
  if (is_text) element.set_text(std::to_string(*kib));
  return {};
}

Result<xml::Element> canonical_address(const Place& place) {
  xml::Element parent;
  if (const auto address = TRY(read_address(place))) write_address(parent, *address);
  if (!parent.children.empty()) return std::move(parent.children.front());
  xml::Element bare;
  bare.name = place.element.name;
  bare.add_attribute("type", "pci");
  return bare;
}

}  // namespace

Result<xml::Element> canonical_element(const Place& place, const Shape& shape) {
  if (shape.device_address) return canonical_address(place);
  TRY(refuse_unknown_parts(place, shape));
  xml::Element element;
  element.name = shape.name;
  element.line = place.element.line;
  TRY(add_attributes(element, place, shape));
  TRY(add_children(element, place, shape));
  if (shape.text != nullptr) {
    const auto text = place.element.text();
    auto canonical = shape.text(text);
    if (!canonical) return tl::unexpected<Error>(invalid_value(place, ".", text, canonical.error()));
    if (!canonical->empty()) element.set_text(*std::move(canonical));
  }
  if (!shape.size.empty()) TRY(scale_size(element, place, shape));
  return element;
}

const Shape* find_shape(std::span<const Shape* const> shapes, std::string_view name) {
  const auto found =
      std::ranges::find(shapes, name, [](const Shape* shape) -> std::string_view { return shape->name; });
  return found == shapes.end() ? nullptr : *found;
}

Result<std::vector<OtherElement>> read_others(const Place& place, std::span<const Shape* const> shapes) {
  std::vector<OtherElement> others;
  for (const auto* shape : shapes)
    for (const auto& child : place.element.children) {
      if (child.name != shape->name) continue;
      const auto element = TRY(canonical_element(place.child(child), *shape));
      others.push_back({child.name, xml::write_element(element), {child.line}});
    }
  return others;
}

std::vector<ChildRule> with_shapes(std::span<const ChildRule> children,
                                   std::span<const Shape* const> shapes) {
  std::vector<ChildRule> rules(children.begin(), children.end());
  for (const auto* shape : shapes) rules.push_back({shape->name, shape->repeated});
  return rules;
}

xml::Element parsed(const OtherElement& other) {
  auto element = xml::read_document(other.xml);
  CHECK(element.has_value());
  return *std::move(element);
}

namespace {

void write_other(xml::Element& parent, const OtherElement& other, const WriteContext& context) {
  auto element = parsed(other);
  if (context.inactive)
    std::erase_if(element.children, [](const xml::Element& child) {
      return child.name == "alias" && !is_user_alias(child.attribute("name")->value);
    });
  parent.children.push_back(std::move(element));
}

}  // namespace

void write_others(xml::Element& parent, const std::vector<OtherElement>& others, std::string_view name,
                  const WriteContext& context) {
  for (const auto& other : others)
    if (other.element == name) write_other(parent, other, context);
}

void write_others(xml::Element& parent, const std::vector<OtherElement>& others,
                  const WriteContext& context) {
  for (const auto& other : others) write_other(parent, other, context);
}

void order_children(xml::Element& element, std::span<const std::string_view> names) {
  auto& children = element.children;
  // Place and position, so that elements of one name keep theirs and each is moved once.
  std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;
  for (std::size_t i = 0; i < children.size(); ++i)
    order.emplace_back(std::ranges::find(names, children[i].name) - names.begin(), i);
  if (std::ranges::is_sorted(order)) return;
  std::ranges::sort(order);
  std::vector<xml::Element> ordered;
  ordered.reserve(children.size());
  for (const auto& [place, position] : order) ordered.push_back(std::move(children[position]));
  children = std::move(ordered);
}

}  // namespace virttdx::domain_xml
