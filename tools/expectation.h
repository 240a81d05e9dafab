// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/result.h"

namespace virttdx::tools {

/// What differs between a prediction and what was expected of it.
struct Difference {
  std::string field;
  std::string expected;
  std::string predicted;
};

/// Reads `file`: what `virt-tdx measure --json` printed or a part of it, or an MRTD in hexadecimal alone.
/// Compares its measurements with those of `report`; what is no measurement (paths, page counts, sections) is
/// not compared. Errors: those of reading; InvalidData for another form, for a file without any measurement,
/// and for a measurement that `report` does not have.
Result<std::vector<Difference>> differences(const nlohmann::json& report, const std::string& file);

}  // namespace virttdx::tools
