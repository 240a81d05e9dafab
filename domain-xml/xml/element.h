// SPDX-License-Identifier: GPL-2.0-or-later
// An XML element as a value: what the reader gives and the writer takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace virttdx::domain_xml::xml {

struct Attribute {
  std::string name;  ///< as written, with its prefix
  std::string uri;   ///< of the prefix; empty without one
  std::string value;
};

struct NamespaceDeclaration {
  std::string prefix;  ///< empty: the default namespace
  std::string uri;
};

struct Element {
  std::string name;  ///< as written, with its prefix
  std::string uri;   ///< empty: no namespace
  int line = 0;
  std::vector<NamespaceDeclaration> namespaces;  ///< declared here
  std::vector<Attribute> attributes;
  std::vector<Element> children;
  /// Text before children[i], and after the last child: children.size() + 1 pieces, or none at all when there
  /// is no text. Comments and processing instructions are not kept.
  std::vector<std::string> texts;

  const Attribute* attribute(std::string_view attribute_name) const;
  /// Empty without the attribute, too.
  std::string attribute_text(std::string_view attribute_name) const;
  const Element* child(std::string_view child_name) const;
  /// All text pieces together.
  std::string text() const;
  void set_text(std::string value) { texts = {std::move(value)}; }
  void add_attribute(std::string_view attribute_name, std::string value) {
    attributes.push_back({std::string(attribute_name), {}, std::move(value)});
  }
  Element& add_child(std::string_view child_name);
  void add_text(std::string_view child_name, std::string value) {
    add_child(child_name).set_text(std::move(value));
  }
};

}  // namespace virttdx::domain_xml::xml
