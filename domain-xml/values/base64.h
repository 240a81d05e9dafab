// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace virttdx::domain_xml {

/// RFC 4648 base64, strictly: no line breaks, correct padding, unused bits zero.
Result<std::vector<std::byte>> decode_base64(std::string_view text);

}  // namespace virttdx::domain_xml
