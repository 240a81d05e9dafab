// SPDX-License-Identifier: GPL-2.0-or-later
// From text to Element. The only user of libxml2's parser.
#pragma once

#include <cstddef>
#include <string_view>

#include "support/result.h"
#include "xml/element.h"

namespace virttdx::domain_xml::xml {

inline constexpr std::size_t kMaximumDocumentSize = 16U << 20;
inline constexpr std::size_t kMaximumDepth = 64;
/// Elements, attributes and namespace declarations together: bounds the memory that a document can cost.
inline constexpr std::size_t kMaximumNodes = 65536;

/// Reads one document. No network, no document type declaration (and so no entities but the five that XML
/// itself defines). Errors: XmlSyntax with "line N: ...".
Result<Element> read_document(std::string_view text);

}  // namespace virttdx::domain_xml::xml
