// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <string_view>

#include "rpc/wire_error.h"

namespace virttdx::driver::api {

/// The two ways in which most changes may be asked for.
inline constexpr unsigned kImpactFlags = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;

/// Refuses flags that are not `known`, in libvirt's words.
inline WireResult<> check_flags(unsigned flags, unsigned known, std::string_view function) {
  if ((flags & ~known) != 0) return tl::unexpected(unsupported_flags(flags & ~known, function));
  return {};
}

/// TRY for what already is a wire error.
#define CHECK_ANSWER(expression)                               \
  do {                                                         \
    if (auto checked = (expression); !checked) return checked; \
  } while (false)

#define CHECK_FLAGS(flags, known, function) \
  CHECK_ANSWER(::virttdx::driver::api::check_flags(flags, known, function))

}  // namespace virttdx::driver::api
