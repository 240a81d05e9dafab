// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kVideoDriverAttributes[] = {
    {"name", spelled<OneOf<"qemu", "vhostuser">>},
    {"iommu", spelled<OnOff>},
    {"ats", spelled<OnOff>},
    {"packed", spelled<OnOff>},
    {"vgaconf", spelled<OneOf<"io", "on", "off">>},
};
constexpr ShapeAttribute kVideoModelAttributes[] = {
    {"type",
     spelled<OneOf<"vga", "cirrus", "vmvga", "xen", "vbox", "qxl", "parallels", "virtio", "gop", "none",
                   "bochs", "ramfb">>,
     true},
    {"ram", spelled<Number>},
    {"vram", spelled<Number>},
    {"vram64", spelled<Number>},
    {"vgamem", spelled<Number>},
    {"heads", spelled<Number>},
    {"blob", spelled<OnOff>},
    {"primary", spelled<YesNo>},
};
constexpr ShapeAttribute kVideoModelAccelerationAttributes[] = {
    {"accel3d", spelled<YesNo>},
    {"accel2d", spelled<YesNo>},
    {"rendernode", spelled<AbsolutePath>},
};
constexpr ShapeAttribute kVideoModelResolutionAttributes[] = {
    {"x", spelled<Count>, true},
    {"y", spelled<Count>, true},
};
constexpr Shape kVideoModelChildren[] = {
    {.name = "acceleration", .attributes = kVideoModelAccelerationAttributes},
    {.name = "resolution", .attributes = kVideoModelResolutionAttributes},
};
constexpr Shape kVideoChildren[] = {
    {.name = "driver", .attributes = kVideoDriverAttributes},
    {.name = "model", .attributes = kVideoModelAttributes, .children = kVideoModelChildren},
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kVideoShape = {.name = "video", .children = kVideoChildren, .repeated = true};

}  // namespace virttdx::domain_xml
