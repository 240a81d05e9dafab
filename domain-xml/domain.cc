// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/domain.h"

#include "elements/elements.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {

Result<Domain> parse_domain(std::string_view xml) {
  const auto root = TRY(xml::read_document(xml));
  return read_domain({root, "/domain"});
}

std::string format_domain(const Domain& domain, const FormatOptions& options) {
  return xml::write_element(write_domain(domain, {.inactive = options.inactive}));
}

}  // namespace virttdx::domain_xml
