// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/tunables.h"

namespace virttdx::driver::api {

std::vector<Tunable> tunables_of(const ParamsRead& params, std::span<const ParamsRead::Known> known,
                                 std::string_view prefix) {
  std::vector<Tunable> tunables;
  const auto add = [&](std::string_view name, const auto& value) {
    if (value) tunables.push_back({fmt::format("{}{}", prefix, name), *value});
  };
  for (const auto& parameter : known) {
    add(parameter.name, params.ullong(parameter.name));
    add(parameter.name, params.llong(parameter.name));
    add(parameter.name, params.string(parameter.name));
  }
  return tunables;
}

Completion telling(Session& session, RecordPtr record, std::vector<Tunable> tunables, Completion done) {
  return [service = &session.service(), record = std::move(record), tunables = std::move(tunables),
          done = std::move(done)](const Result<>& changed) {
    if (changed) service->announce_tunables(*record, tunables);
    done(changed);
  };
}

}  // namespace virttdx::driver::api
