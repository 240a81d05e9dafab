// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/domain.h"

#include "elements/elements.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

// Applications' own elements are nobody's business.
void note_lines(const xml::Element& element, const std::string& path, SourceLines& lines) {
  lines.first.try_emplace(path, element.line);
  if (path == "/domain/metadata") return;
  for (const auto& child : element.children) note_lines(child, path + "/" + child.name, lines);
}

}  // namespace

int SourceLines::of(std::string_view path) const {
  while (!path.empty()) {
    if (const auto found = first.find(path); found != first.end()) return found->second;
    path = path.substr(0, path.rfind('/'));
  }
  return 0;
}

Result<Domain> parse_domain(std::string_view xml) {
  const auto root = TRY(xml::read_document(xml));
  auto domain = TRY(read_domain({root, "/domain"}));
  note_lines(root, "/domain", domain.lines);
  return domain;
}

std::string format_domain(const Domain& domain, const FormatOptions& options) {
  return xml::write_element(write_domain(domain, {.inactive = options.inactive}));
}

}  // namespace virttdx::domain_xml
