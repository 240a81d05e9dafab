// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kWatchdogAttributes[] = {
    {"model", spelled<OneOf<"i6300esb", "ib700", "diag288", "itco">>, true},
    {"action", spelled<OneOf<"reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi">>},
};
constexpr Shape kWatchdogChildren[] = {
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kWatchdogShape = {
    .name = "watchdog", .attributes = kWatchdogAttributes, .children = kWatchdogChildren, .repeated = true};

}  // namespace virttdx::domain_xml
