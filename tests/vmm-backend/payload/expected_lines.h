// SPDX-License-Identifier: GPL-2.0-or-later
// The lines that the payload prints, in their order: `name` of the case and what its registers or its
// exception are by the specification that the table's head names.
#pragma once

#include <string>
#include <vector>

#include "vmm_backend/vm_config.h"

namespace virttdx::test {

struct ExpectedLine {
  std::string name;
  std::string text;
};
using ExpectedLines = std::vector<ExpectedLine>;

/// What the lines depend on besides the specifications.
struct PayloadTd {
  Measurement mrtd{};
  Measurement mr_config_id{};
  Measurement rtmr2{};              ///< after one extension by `rtmr_data` of the payload
  std::uint16_t tsc_frequency = 0;  ///< in units of 25 MHz
};

ExpectedLines expected_tdcall_leaves(const PayloadTd& td);
ExpectedLines expected_td_vmcalls();
ExpectedLines expected_ve_sources(const PayloadTd& td);
ExpectedLines expected_reduced_ve();

}  // namespace virttdx::test
