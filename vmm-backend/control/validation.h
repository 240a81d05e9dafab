// SPDX-License-Identifier: GPL-2.0-or-later
// Checks that the rules of a VmConfig share. Errors: InvalidArgument, beginning with the field.
#pragma once

#include <cstddef>
#include <string>

#include "support/result.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

inline constexpr std::size_t kPathMaximum = 4095;
/// sizeof sockaddr_un::sun_path, less its NUL.
inline constexpr std::size_t kSocketPathMaximum = 107;

/// Not empty, at most `maximum` bytes, no NUL.
Result<> check_text(const std::string& field, const std::string& text, std::size_t maximum);
/// check_text() where the text is there.
Result<> check_optional_text(const std::string& field, const std::optional<std::string>& text,
                             std::size_t maximum);

/// Devices, kernel and SMBIOS.
Result<> validate_devices(const DeviceConfigs& devices);
Result<> validate_kernel(const KernelBootConfig& kernel);
Result<> validate_smbios(const SmbiosConfig& smbios);
/// Addresses and forwarded ports of an interface; `field` names it.
Result<> validate_user_network(const std::string& field, const NetworkInterfaceConfig& interface);
/// Memory, vCPUs and distances of the nodes against the rest.
Result<> validate_numa_nodes(const VmConfig& config);

}  // namespace virttdx
