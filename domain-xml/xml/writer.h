// SPDX-License-Identifier: GPL-2.0-or-later
// From Element to text, byte-stable: two spaces a level, single quotes, a line an element. Text is written
// verbatim; an element whose text is white space only is laid out anew.
#pragma once

#include <string>

#include "xml/element.h"

namespace virttdx::domain_xml::xml {

/// `element` from column 2 * `level` on, with a line break at the end. Namespace declarations that it needs
/// and that lay on an element above it are added.
std::string write_element(const Element& element, int level = 0);

}  // namespace virttdx::domain_xml::xml
