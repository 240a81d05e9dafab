// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kVcpusVcpuAttributes[] = {
    {"id", spelled<Number>, true},
    {"enabled", spelled<YesNo>, true},
    {"hotpluggable", spelled<YesNo>},
    {"order", spelled<Count>},
};
constexpr Shape kVcpusChildren[] = {
    {.name = "vcpu", .attributes = kVcpusVcpuAttributes, .repeated = true},
};

}  // namespace

constexpr Shape kVcpusShape = {.name = "vcpus", .children = kVcpusChildren};

}  // namespace virttdx::domain_xml
