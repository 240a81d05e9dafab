// SPDX-License-Identifier: GPL-2.0-or-later
// What is said of a domain: by its completion, by its plan.
#pragma once

#include <cstdint>
#include <string>

namespace virttdx::domain_xml {

enum class Severity : std::uint8_t { Note, Warning, Error };

struct Finding {
  Severity severity = Severity::Note;
  std::string id;        ///< stable, e.g. "tdx-attribute-kvm"
  std::string xml_path;  ///< e.g. "/domain/launchSecurity/policy"
  int line = 0;          ///< 0: unknown
  std::string bit;       ///< "CPUID.07H:EBX.intel-pt [bit 25]", "ATTRIBUTES.PKS [bit 30]", or empty
  std::string message;   ///< what happens and why
  std::string remedy;
};

/// "error: message; remedy (/domain/launchSecurity/policy, line 12)" on one line.
std::string to_string(const Finding& finding);

}  // namespace virttdx::domain_xml
