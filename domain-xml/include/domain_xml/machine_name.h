// SPDX-License-Identifier: GPL-2.0-or-later
// Names of machine types: a TD has a Q35 machine, whatever version of QEMU's a definition names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace virttdx::domain_xml {

/// What "q35" stands for.
inline constexpr std::string_view kCanonicalMachine = "pc-q35-virttdx";

/// The versioned name, as capabilities and firmware descriptors have it: "q35" becomes kCanonicalMachine,
/// "pc-q35-7.2" stays. Nothing for a machine that no TD has.
std::optional<std::string> canonical_machine(std::string_view name);

}  // namespace virttdx::domain_xml
