// SPDX-License-Identifier: GPL-2.0-or-later
// `<sysinfo type='smbios'>` of a host (virConnectGetSysinfo).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace virttdx::domain_xml {

/// `value` gives what the kernel tells under a name of /sys/class/dmi/id ("sys_vendor"), empty when it does
/// not. Nothing when it tells nothing at all.
std::optional<std::string> format_sysinfo(const std::function<std::string(std::string_view)>& value);

}  // namespace virttdx::domain_xml
