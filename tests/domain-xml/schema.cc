// SPDX-License-Identifier: GPL-2.0-or-later
#include "schema.h"

#include "domain_xml/schema.h"

namespace virttdx::domain_xml::test {

std::string schema_errors(const std::filesystem::path& schema, const std::string& xml) {
  const auto valid = validate_xml(xml, schema);
  return valid ? std::string() : valid.error().message();
}

}  // namespace virttdx::domain_xml::test
