// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kHubAttributes[] = {
    {"type", spelled<OneOf<"usb">>, true},
};
constexpr Shape kHubChildren[] = {
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kHubShape = {
    .name = "hub", .attributes = kHubAttributes, .children = kHubChildren, .repeated = true};

}  // namespace virttdx::domain_xml
