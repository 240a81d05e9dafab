// SPDX-License-Identifier: GPL-2.0-or-later
// A document against a RELAX NG schema. The only user of libxml2's validator.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx::domain_xml::xml {

/// What the schema in a file does not take of `text`, each as "line N: what"; empty: the document is valid.
/// The limits of read_document() hold. Errors: XmlSyntax, InvalidData (the schema cannot be read).
Result<std::vector<std::string>> schema_violations(std::string_view text,
                                                   const std::filesystem::path& schema);

}  // namespace virttdx::domain_xml::xml
