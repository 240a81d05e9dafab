// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of every procedure of the remote program (schemas/remote_procedures.txt).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "api/access_rules.h"
#include "forward/object_class.h"

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
  ObjectClass object_class;
  std::array<AccessRule, 4> access;
  std::string_view visible;  ///< what a list's domains need (of AccessObject::Domain); empty: it lists none
};

/// Null when the remote program has no such call.
const ProcedureInfo* find_procedure(int number);

/// In order of numbers.
std::span<const ProcedureInfo> all_procedures();

}  // namespace virttdx::driver
