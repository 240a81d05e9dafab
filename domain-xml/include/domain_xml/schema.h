// SPDX-License-Identifier: GPL-2.0-or-later
// Documents held against RELAX NG schemas, as clients ask for by VIR_DOMAIN_DEFINE_VALIDATE and its like.
#pragma once

#include <filesystem>
#include <string_view>

#include "support/result.h"

namespace virttdx::domain_xml {

/// libvirt's own schema of `<cpu>` elements, of its package.
inline constexpr const char* kCpuSchemaPath = "/usr/share/libvirt/schemas/cpu.rng";

/// Holds `xml` against the schema in a file. The limits of parse_domain() hold. Any thread. Errors:
/// XmlSyntax; XmlInvalid for what the schema does not take, in libvirt's words ("Unable to validate doc
/// against FILE: line N: ..."); InvalidData for a schema that cannot be read.
Result<> validate_xml(std::string_view xml, const std::filesystem::path& schema);

/// The same for a `<domain>`; where the reader refuses the document too, its reason stands before the
/// schema's, as it is the clearer one.
Result<> validate_domain(std::string_view xml, const std::filesystem::path& schema);

}  // namespace virttdx::domain_xml
