// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/procedures.h"

#include <libvirt/libvirt.h>

#include <algorithm>
#include <array>

namespace virttdx::driver {
namespace {

constexpr auto kProcedures = std::to_array<ProcedureInfo>({
#include "schemas/remote_procedures.inc"
});
static_assert(std::is_sorted(kProcedures.begin(), kProcedures.end(),
                             [](const auto& a, const auto& b) { return a.number < b.number; }));

}  // namespace

const ProcedureInfo* find_procedure(int number) {
  const auto* found = std::lower_bound(kProcedures.begin(), kProcedures.end(), number,
                                       [](const auto& row, int wanted) { return row.number < wanted; });
  return found != kProcedures.end() && found->number == number ? found : nullptr;
}

std::span<const ProcedureInfo> all_procedures() { return kProcedures; }

}  // namespace virttdx::driver
