// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "domain_xml/devices.h"
#include "vmm_backend/device_config.h"

namespace virttdx::domain_xml {

/// Whether plan_user_network() takes `<ip>`, `<portForward>` and the like.
bool is_of_user_network(const OtherElement& element);

struct UserNetworkFault {
  std::string message, remedy;
};
/// Addresses of the guest and ports of the host that are forwarded to it, into `config`; or what cannot be.
std::optional<UserNetworkFault> plan_user_network(const Interface& interface, NetworkInterfaceConfig& config);

}  // namespace virttdx::domain_xml
