// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain_xml/schema.h"

#include "domain_xml/domain.h"
#include "xml/schema.h"

namespace virttdx::domain_xml {
namespace {

Result<> refuse(const std::filesystem::path& schema, std::string_view reasons) {
  return fail(Error::Code::XmlInvalid, "Unable to validate doc against {}: {}", schema.native(), reasons);
}

}  // namespace

Result<> validate_xml(std::string_view xml, const std::filesystem::path& schema) {
  const auto violations = TRY(xml::schema_violations(xml, schema));
  if (violations.empty()) return {};
  return refuse(schema, fmt::format("{}", fmt::join(violations, "; ")));
}

Result<> validate_domain(std::string_view xml, const std::filesystem::path& schema) {
  const auto violations = TRY(xml::schema_violations(xml, schema));
  if (violations.empty()) return {};
  const auto domain = parse_domain(xml);
  const auto joined = fmt::format("{}", fmt::join(violations, "; "));
  return refuse(schema, domain ? joined : fmt::format("{} ({})", domain.error().message(), joined));
}

}  // namespace virttdx::domain_xml
