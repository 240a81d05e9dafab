// SPDX-License-Identifier: GPL-2.0-or-later
// Ranges that a test knows to be valid.
#pragma once

#include "vmm_backend/gpa.h"

namespace virttdx::test {

inline GpaRange range(std::uint64_t base, std::uint64_t size) { return *GpaRange::create({base}, size); }

}  // namespace virttdx::test
