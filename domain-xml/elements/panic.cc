// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kPanicAttributes[] = {
    {"model", spelled<OneOf<"isa", "pseries", "hyperv", "s390", "pvpanic">>},
};
constexpr Shape kPanicChildren[] = {
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kPanicShape = {
    .name = "panic", .attributes = kPanicAttributes, .children = kPanicChildren, .repeated = true};

}  // namespace virttdx::domain_xml
