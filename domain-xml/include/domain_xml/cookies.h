// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "domain_xml/devices.h"
#include "support/result.h"

namespace virttdx::domain_xml {

/// What an HTTP client sends as Cookie for `<cookies>` of a network disk's source (RFC 6265, 4.2.1); nothing:
/// it has none. Errors, without the secret: a name or a value with characters that libvirt refuses, a name
/// that is there twice.
Result<std::optional<std::string>> cookie_header(const DiskSource& source);

}  // namespace virttdx::domain_xml
