// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kIommuAttributes[] = {
    {"model", spelled<OneOf<"intel", "smmuv3", "virtio">>, true},
};
constexpr ShapeAttribute kIommuDriverAttributes[] = {
    {"intremap", spelled<OnOff>}, {"caching_mode", spelled<OnOff>}, {"eim", spelled<OnOff>},
    {"iotlb", spelled<OnOff>},    {"aw_bits", spelled<Number>},
};
constexpr Shape kIommuChildren[] = {
    {.name = "driver", .attributes = kIommuDriverAttributes},
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kIommuShape = {.name = "iommu", .attributes = kIommuAttributes, .children = kIommuChildren};

}  // namespace virttdx::domain_xml
