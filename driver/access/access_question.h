// SPDX-License-Identifier: GPL-2.0-or-later
// Who may do what to which object, in the words of libvirt's access control (https://libvirt.org/acl.html).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/polkit.h"

namespace virttdx::driver {

/// What rules of polkit know this driver by.
inline constexpr std::string_view kConnectDriver = "TDX";

struct AccessDomain {
  std::string name, uuid;  ///< uuid: empty when the domain has none yet
};
/// Of the connection, or of a domain.
struct AccessQuestion {
  std::string permission;  ///< as libvirt's protocol writes it: "read_secure"
  std::optional<AccessDomain> domain;
};

/// "org.libvirt.api.domain.read-secure" with what libvirt's polkit driver tells of the object.
PolkitQuestion polkit_question(const AccessQuestion& question);

}  // namespace virttdx::driver
