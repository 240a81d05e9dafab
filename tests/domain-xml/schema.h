// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace virttdx::domain_xml::test {

/// What a RELAX NG schema says against a document; empty when it is valid.
std::string schema_errors(const std::filesystem::path& schema, const std::string& xml);

}  // namespace virttdx::domain_xml::test
