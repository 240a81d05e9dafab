// SPDX-License-Identifier: GPL-2.0-or-later
// What a call needs, as schemas/remote_procedures.txt has it from libvirt's protocol.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "access/access_question.h"

namespace virttdx::driver {

enum class AccessObject : std::uint8_t { Connect, Domain };
enum class AccessWhen : std::uint8_t {
  Always,
  FlagsSet,    ///< the call's flags have all of these
  FlagsClear,  ///< none of these
  SourceIs,    ///< the call's source is this number
};

struct AccessRule {
  AccessObject object = AccessObject::Connect;
  std::string_view permission;  ///< empty: no rule
  AccessWhen when = AccessWhen::Always;
  unsigned mask = 0;
};

/// What of a call's arguments rules look at.
struct AccessArguments {
  std::optional<AccessDomain> domain;  ///< absent: the call names none that exists
  unsigned flags = 0, source = 0;
};

}  // namespace virttdx::driver
