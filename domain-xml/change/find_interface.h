// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "domain_xml/devices.h"
#include "support/result.h"

namespace virttdx::domain_xml {

/// Index of the interface that is meant: by MAC address, and by place where `meant` has one. NotFound;
/// AlreadyExists (there are several).
Result<std::size_t> find_interface(const std::vector<Interface>& interfaces, const Interface& meant);

}  // namespace virttdx::domain_xml
