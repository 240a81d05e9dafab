// SPDX-License-Identifier: GPL-2.0-or-later
// What handlers share that tell clients which limits of a running domain have changed.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "api/session.h"
#include "api/typed_params.h"

namespace virttdx::driver::api {

/// The parameters that a call gives, each by its name behind `prefix`, in the order of `known`.
std::vector<Tunable> tunables_of(const ParamsRead& params, std::span<const ParamsRead::Known> known,
                                 std::string_view prefix);

/// `done`, before which clients are told when it has succeeded.
Completion telling(Session& session, RecordPtr record, std::vector<Tunable> tunables, Completion done);

}  // namespace virttdx::driver::api
