// SPDX-License-Identifier: GPL-2.0-or-later
// libvirt's names of domain states and of their reasons, as its status files have them.
#pragma once

#include <optional>
#include <string_view>

namespace virttdx::domain_xml {

/// Empty for a number that libvirt does not have.
std::string_view state_name(int state);
std::string_view reason_name(int state, int reason);

std::optional<int> state_of(std::string_view name);
std::optional<int> reason_of(int state, std::string_view name);

}  // namespace virttdx::domain_xml
