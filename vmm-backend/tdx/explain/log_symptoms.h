// SPDX-License-Identifier: GPL-2.0-or-later
// Log lines that tell a cause without an errno.
#pragma once

#include <optional>
#include <string_view>

#include "vmm_backend/tdx_explain.h"

namespace virttdx {

/// The cause that a line of QEMU or of the kernel tells by its wording.
std::optional<TdxCause> symptom_in(std::string_view line);

}  // namespace virttdx
