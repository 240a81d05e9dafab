// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kHostdevAttributes[] = {
    {"mode", spelled<OneOf<"subsystem", "capabilities">>},
    {"type", spelled<OneOf<"usb", "pci", "scsi", "scsi_host", "mdev", "storage", "misc", "net">>, true},
    {"managed", spelled<YesNo>},
    {"sgio", spelled<OneOf<"filtered", "unfiltered">>},
    {"rawio", spelled<YesNo>},
    {"model", spelled<NonEmptyText>},
    {"display", spelled<OnOff>},
    {"ramfb", spelled<OnOff>},
};
constexpr ShapeAttribute kHostdevDriverAttributes[] = {
    {"name", spelled<OneOf<"kvm", "vfio", "xen">>},
    {"model", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kHostdevSourceAttributes[] = {
    {"startupPolicy", spelled<OneOf<"mandatory", "requisite", "optional">>},
    {"protocol", spelled<NonEmptyText>},
    {"name", spelled<NonEmptyText>},
    {"wwpn", spelled<NonEmptyText>},
    {"writeFiltering", spelled<YesNo>},
    {"guestReset", spelled<OneOf<"off", "uninitialized", "on">>},
};
constexpr ShapeAttribute kHostdevSourceVendorAttributes[] = {
    {"id", spelled<NonEmptyText>, true},
};
constexpr ShapeAttribute kHostdevSourceProductAttributes[] = {
    {"id", spelled<NonEmptyText>, true},
};
constexpr ShapeAttribute kHostdevSourceAdapterAttributes[] = {
    {"name", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kHostdevSourceAddressAttributes[] = {
    {"domain", spelled<NonEmptyText>},   {"bus", spelled<NonEmptyText>},    {"slot", spelled<NonEmptyText>},
    {"function", spelled<NonEmptyText>}, {"device", spelled<NonEmptyText>}, {"uuid", spelled<NonEmptyText>},
    {"target", spelled<Number>},         {"unit", spelled<Number>},         {"type", spelled<NonEmptyText>},
    {"port", spelled<NonEmptyText>},
};
constexpr Shape kHostdevSourceChildren[] = {
    {.name = "vendor", .attributes = kHostdevSourceVendorAttributes},
    {.name = "product", .attributes = kHostdevSourceProductAttributes},
    {.name = "adapter", .attributes = kHostdevSourceAdapterAttributes},
    {.name = "address", .attributes = kHostdevSourceAddressAttributes},
    {.name = "char", .text = spelled<AbsolutePath>},
    {.name = "block", .text = spelled<AbsolutePath>},
    {.name = "interface", .text = spelled<NonEmptyText>},
};
constexpr ShapeAttribute kHostdevTeamingAttributes[] = {
    {"type", spelled<OneOf<"persistent", "transient">>, true},
    {"persistent", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kHostdevRomAttributes[] = {
    {"enabled", spelled<YesNo>},
    {"bar", spelled<OnOff>},
    {"file", spelled<AbsolutePath>},
};
constexpr Shape kHostdevChildren[] = {
    {.name = "driver", .attributes = kHostdevDriverAttributes},
    {.name = "source", .attributes = kHostdevSourceAttributes, .children = kHostdevSourceChildren},
    {.name = "teaming", .attributes = kHostdevTeamingAttributes},
    {.name = "readonly"},
    {.name = "shareable"},
    kBootShape,
    kAliasShape,
    {.name = "rom", .attributes = kHostdevRomAttributes},
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kHostdevShape = {
    .name = "hostdev", .attributes = kHostdevAttributes, .children = kHostdevChildren, .repeated = true};

}  // namespace virttdx::domain_xml
