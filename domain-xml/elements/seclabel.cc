// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kSeclabelAttributes[] = {
    {"type", spelled<OneOf<"none", "dynamic", "static">>},
    {"model", spelled<NonEmptyText>},
    {"relabel", spelled<YesNo>},
};
constexpr Shape kSeclabelChildren[] = {
    {.name = "label", .text = spelled<NonEmptyText>},
    {.name = "imagelabel", .text = spelled<NonEmptyText>},
    {.name = "baselabel", .text = spelled<NonEmptyText>},
};

}  // namespace

constexpr Shape kSeclabelShape = {
    .name = "seclabel", .attributes = kSeclabelAttributes, .children = kSeclabelChildren, .repeated = true};

}  // namespace virttdx::domain_xml
