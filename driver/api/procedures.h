// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of every procedure of the remote program (schemas/remote_procedures.txt).
#pragma once

#include <cstdint>
#include <string_view>

namespace virttdx::driver {

enum class ReadOnlyRule : std::uint8_t {
  Allowed,
  Forbidden,
  Conditional,  ///< a flag decides: the handler checks
  Local,        ///< no rule: authentication, open, close
};

struct ProcedureInfo {
  int number;
  std::string_view name;
  ReadOnlyRule read_only;
  std::string_view function;  ///< libvirt's public function, for messages
};

/// Null when the remote program has no such call.
const ProcedureInfo* find_procedure(int number);

}  // namespace virttdx::driver
