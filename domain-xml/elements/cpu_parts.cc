// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kCacheAttributes[] = {
    {"level", spelled<Number>},
    {"mode", spelled<OneOf<"emulate", "passthrough", "disable">>, true},
};
constexpr ShapeAttribute kNumaCellAttributes[] = {
    {"id", spelled<Number>},
    {"cpus", spelled<NonEmptyText>},
    {"memory", spelled<Number64>, true},
    {"unit", spelled<Text>, false, "KiB"},
    {"memAccess", spelled<OneOf<"shared", "private">>},
    {"discard", spelled<YesNo>},
};
constexpr ShapeAttribute kNumaCellDistancesSiblingAttributes[] = {
    {"id", spelled<Number>, true},
    {"value", spelled<Number>, true},
};
constexpr Shape kNumaCellDistancesChildren[] = {
    {.name = "sibling", .attributes = kNumaCellDistancesSiblingAttributes, .repeated = true},
};
constexpr Shape kNumaCellChildren[] = {
    {.name = "distances", .children = kNumaCellDistancesChildren},
};
constexpr Shape kNumaChildren[] = {
    {.name = "cell",
     .attributes = kNumaCellAttributes,
     .children = kNumaCellChildren,
     .repeated = true,
     .size = "memory"},
};

}  // namespace

constexpr Shape kCacheShape = {.name = "cache", .attributes = kCacheAttributes};
constexpr Shape kNumaShape = {.name = "numa", .children = kNumaChildren};

}  // namespace virttdx::domain_xml
