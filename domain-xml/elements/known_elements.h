// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string_view>

namespace virttdx::domain_xml {

/// Whether libvirt's domain XML has an element of this name at this place that virttdx does not offer: such
/// a document is valid, but cannot be run here. Names: https://libvirt.org/formatdomain.html.
bool is_libvirt_element(std::string_view parent_path, std::string_view name);

/// What a TD cannot have, and why, with the remedy: "host devices cannot reach a TD's memory ...; remove it".
/// Empty for what is merely not offered.
std::string_view impossible_in_td(std::string_view parent_path, std::string_view name);

}  // namespace virttdx::domain_xml
