// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kMaxMemoryAttributes[] = {
    {"slots", spelled<Number>, true},
    {"unit", spelled<Text>, false, "KiB"},
};

}  // namespace

constexpr Shape kMaxMemoryShape = {
    .name = "maxMemory", .attributes = kMaxMemoryAttributes, .text = spelled<Number64>, .size = "."};

}  // namespace virttdx::domain_xml
