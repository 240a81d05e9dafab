// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "support/result.h"

namespace virttdx {

/// The 16 bytes of an RFC 9562 text form, in the text's order. Error: InvalidArgument.
Result<std::array<std::byte, 16>> uuid_bytes(std::string_view uuid);

}  // namespace virttdx
