// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kReservationsAttributes[] = {
    {"managed", spelled<YesNo>},
};
constexpr ShapeAttribute kReservationsSourceAttributes[] = {
    {"type", spelled<OneOf<"unix">>},
    {"path", spelled<AbsolutePath>},
    {"mode", spelled<OneOf<"client">>},
};
constexpr Shape kReservationsChildren[] = {
    {.name = "source", .attributes = kReservationsSourceAttributes},
};
constexpr ShapeAttribute kInitiatorIqnAttributes[] = {
    {"name", spelled<NonEmptyText>, true},
};
constexpr Shape kInitiatorChildren[] = {
    {.name = "iqn", .attributes = kInitiatorIqnAttributes},
};
constexpr ShapeAttribute kSslAttributes[] = {
    {"verify", spelled<YesNo>},
};
constexpr ShapeAttribute kCookiesCookieAttributes[] = {
    {"name", spelled<NonEmptyText>, true},
};
constexpr Shape kCookiesChildren[] = {
    {.name = "cookie", .attributes = kCookiesCookieAttributes, .text = spelled<Text>, .repeated = true},
};
constexpr ShapeAttribute kReadaheadAttributes[] = {
    {"size", spelled<Number64>, true},
};
constexpr ShapeAttribute kTimeoutAttributes[] = {
    {"seconds", spelled<Number64>, true},
};
constexpr ShapeAttribute kReconnectAttributes[] = {
    {"delay", spelled<Number>},
    {"enabled", spelled<YesNo>},
    {"timeout", spelled<Number>},
};

}  // namespace

constexpr Shape kReservationsShape = {
    .name = "reservations", .attributes = kReservationsAttributes, .children = kReservationsChildren};
constexpr Shape kInitiatorShape = {.name = "initiator", .children = kInitiatorChildren};
constexpr Shape kSslShape = {.name = "ssl", .attributes = kSslAttributes};
constexpr Shape kCookiesShape = {.name = "cookies", .children = kCookiesChildren};
constexpr Shape kReadaheadShape = {.name = "readahead", .attributes = kReadaheadAttributes};
constexpr Shape kTimeoutShape = {.name = "timeout", .attributes = kTimeoutAttributes};
constexpr Shape kReconnectShape = {.name = "reconnect", .attributes = kReconnectAttributes};

}  // namespace virttdx::domain_xml
