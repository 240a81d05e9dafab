// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kResourceFibrechannelAttributes[] = {
    {"appid", spelled<NonEmptyText>, true},
};
constexpr Shape kResourceChildren[] = {
    {.name = "partition", .text = spelled<AbsolutePath>},
    {.name = "fibrechannel", .attributes = kResourceFibrechannelAttributes},
};

}  // namespace

constexpr Shape kResourceShape = {.name = "resource", .children = kResourceChildren};

}  // namespace virttdx::domain_xml
