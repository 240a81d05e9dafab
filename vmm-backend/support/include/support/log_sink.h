// SPDX-License-Identifier: GPL-2.0-or-later
// Another place for the log than standard error, for programs that let their users choose.
#pragma once

#include <functional>
#include <string_view>

#include "support/log.h"

namespace virttdx::log {

/// Gets the whole line, with its end, and the text alone. Called by any thread, one at a time.
using Sink = std::function<void(Priority, std::string_view line, std::string_view text)>;

/// Messages go there from now on; an empty one stands for standard error. Any thread.
void set_sink(Sink sink);

}  // namespace virttdx::log
