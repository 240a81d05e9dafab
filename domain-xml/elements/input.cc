// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kInputAttributes[] = {
    {"type", spelled<OneOf<"mouse", "tablet", "keyboard", "passthrough", "evdev">>, true},
    {"bus", spelled<OneOf<"ps2", "usb", "xen", "virtio", "none">>},
    {"model", spelled<OneOf<"virtio", "virtio-transitional", "virtio-non-transitional">>},
};
constexpr ShapeAttribute kInputDriverAttributes[] = {
    {"iommu", spelled<OnOff>},
    {"ats", spelled<OnOff>},
    {"packed", spelled<OnOff>},
};
constexpr ShapeAttribute kInputSourceAttributes[] = {
    {"dev", spelled<NonEmptyText>},
    {"evdev", spelled<NonEmptyText>},
    {"grab", spelled<OneOf<"all">>},
    {"grabToggle",
     spelled<OneOf<"ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock">>},
    {"repeat", spelled<OnOff>},
};
constexpr Shape kInputChildren[] = {
    {.name = "driver", .attributes = kInputDriverAttributes},
    {.name = "source", .attributes = kInputSourceAttributes},
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kInputShape = {
    .name = "input", .attributes = kInputAttributes, .children = kInputChildren, .repeated = true};

}  // namespace virttdx::domain_xml
