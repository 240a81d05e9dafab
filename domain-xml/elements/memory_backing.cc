// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kMemoryBackingHugepagesPageAttributes[] = {
    {"size", spelled<Number64>, true},
    {"unit", spelled<Text>, false, "KiB"},
    {"nodeset", spelled<NonEmptyText>},
};
constexpr Shape kMemoryBackingHugepagesChildren[] = {
    {.name = "page", .attributes = kMemoryBackingHugepagesPageAttributes, .repeated = true, .size = "size"},
};
constexpr ShapeAttribute kMemoryBackingSourceAttributes[] = {
    {"type", spelled<OneOf<"file", "anonymous", "memfd">>, true},
};
constexpr ShapeAttribute kMemoryBackingAccessAttributes[] = {
    {"mode", spelled<OneOf<"shared", "private">>, true},
};
constexpr ShapeAttribute kMemoryBackingAllocationAttributes[] = {
    {"mode", spelled<OneOf<"immediate", "ondemand">>},
    {"threads", spelled<Count>},
};
constexpr Shape kMemoryBackingChildren[] = {
    {.name = "hugepages", .children = kMemoryBackingHugepagesChildren},
    {.name = "nosharepages"},
    {.name = "locked"},
    {.name = "source", .attributes = kMemoryBackingSourceAttributes},
    {.name = "access", .attributes = kMemoryBackingAccessAttributes},
    {.name = "allocation", .attributes = kMemoryBackingAllocationAttributes},
    {.name = "discard"},
};

}  // namespace

constexpr Shape kMemoryBackingShape = {.name = "memoryBacking", .children = kMemoryBackingChildren};

}  // namespace virttdx::domain_xml
