// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vmm_backend/tdvf.h"

namespace virttdx::tools {

/// A firmware's sections, one a line.
std::string section_table(const Tdvf& tdvf);
/// As schemas/firmware-report.json and measurement-report.json have it.
nlohmann::json sections_to_json(const Tdvf& tdvf);

}  // namespace virttdx::tools
