// SPDX-License-Identifier: GPL-2.0-or-later
// The shape of an element that is kept as canonical XML: its attributes and children in libvirt's order, and
// how their values are spelled. Reading, the canonical form and the refusal of everything else follow from
// it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "domain_xml/devices.h"
#include "elements/property_table.h"
#include "support/result.h"
#include "xml/element.h"

namespace virttdx::domain_xml {

/// The canonical spelling of a value, or what would have been right.
using Spelling = Result<std::string> (*)(std::string_view);
template <typename Codec>
Result<std::string> spelled(std::string_view text) {
  return Codec::encode(TRY(Codec::decode(text)));
}

struct ShapeAttribute {
  std::string_view name;
  Spelling spelling;
  bool required = false;
  std::string_view implied = {};  ///< value when it is absent
};

struct Shape {
  std::string_view name;
  std::span<const ShapeAttribute> attributes = {};
  std::span<const Shape> children = {};
  Spelling text = nullptr;  ///< null: no text
  bool repeated = false;
  /// Where a size lies whose unit is the attribute "unit", written in KiB: an attribute, "." for the text.
  std::string_view size = {};
  bool device_address = false;  ///< `<address type=..>`: read_address() knows it
};

/// The element in canonical form: nothing unknown, everything in the shape's order. Errors: as
/// read_properties().
Result<xml::Element> canonical_element(const Place& place, const Shape& shape);

/// The shape of this name; null without one.
const Shape* find_shape(std::span<const Shape* const> shapes, std::string_view name);
/// Reads every child of `place` that has a shape in `shapes`, in the order of `shapes`.
Result<std::vector<OtherElement>> read_others(const Place& place, std::span<const Shape* const> shapes);
/// Rules for read_properties() that let `shapes` pass.
std::vector<ChildRule> with_shapes(std::span<const ChildRule> children, std::span<const Shape* const> shapes);
/// Appends those named `name`.
void write_others(xml::Element& parent, const std::vector<OtherElement>& others, std::string_view name,
                  const WriteContext& context);
/// Appends all.
void write_others(xml::Element& parent, const std::vector<OtherElement>& others, const WriteContext& context);

/// The element as a tree.
xml::Element parsed(const OtherElement& other);

/// Brings the children into the order of `names`; those that it does not name stay last.
void order_children(xml::Element& element, std::span<const std::string_view> names);

}  // namespace virttdx::domain_xml
