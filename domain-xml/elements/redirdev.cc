// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kRedirdevAttributes[] = {
    {"bus", spelled<OneOf<"usb">>, true},
    {"type", spelled<OneOf<"spicevmc", "tcp", "unix", "pty", "null">>, true},
};
constexpr ShapeAttribute kRedirdevSourceAttributes[] = {
    {"mode", spelled<OneOf<"bind", "connect">>},
    {"host", spelled<NonEmptyText>},
    {"service", spelled<NonEmptyText>},
    {"path", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kRedirdevProtocolAttributes[] = {
    {"type", spelled<OneOf<"raw", "telnet", "telnets", "tls">>},
};
constexpr Shape kRedirdevChildren[] = {
    {.name = "source", .attributes = kRedirdevSourceAttributes},
    {.name = "protocol", .attributes = kRedirdevProtocolAttributes},
    kBootShape,
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kRedirdevShape = {
    .name = "redirdev", .attributes = kRedirdevAttributes, .children = kRedirdevChildren, .repeated = true};

}  // namespace virttdx::domain_xml
