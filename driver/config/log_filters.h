// SPDX-License-Identifier: GPL-2.0-or-later
// Which messages of which parts of the daemon are logged, as libvirt's daemons write it: "LEVEL:MATCH",
// several between spaces; the "+" that once stood before MATCH for a stack trace is taken and does nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/log.h"
#include "support/result.h"

namespace virttdx::driver {

/// InvalidArgument names the filter that is none.
Result<std::vector<log::Filter>> parse_log_filters(std::string_view text);
std::string format_log_filters(const std::vector<log::Filter>& filters);

/// Of the whole process, from now on. Event loop's thread only.
void use_log_filters(std::vector<log::Filter> filters);
const std::vector<log::Filter>& current_log_filters();

}  // namespace virttdx::driver
