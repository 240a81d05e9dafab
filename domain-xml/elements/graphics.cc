// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kGraphicsAttributes[] = {
    {"type", spelled<OneOf<"sdl", "vnc", "rdp", "desktop", "spice", "egl-headless", "dbus">>, true},
    {"port", spelled<SignedNumber>},
    {"tlsPort", spelled<SignedNumber>},
    {"autoport", spelled<YesNo>},
    {"websocket", spelled<SignedNumber>},
    {"listen", spelled<NonEmptyText>},
    {"socket", spelled<NonEmptyText>},
    {"keymap", spelled<NonEmptyText>},
    {"sharePolicy", spelled<OneOf<"allow-exclusive", "force-shared", "ignore">>},
    {"passwd", spelled<Text>},
    {"passwdValidTo", spelled<NonEmptyText>},
    {"connected", spelled<OneOf<"keep", "disconnect", "fail">>},
    {"defaultMode", spelled<OneOf<"any", "secure", "insecure">>},
    {"display", spelled<NonEmptyText>},
    {"xauth", spelled<NonEmptyText>},
    {"fullscreen", spelled<YesNo>},
    {"multiUser", spelled<YesNo>},
    {"replaceUser", spelled<YesNo>},
};
constexpr ShapeAttribute kGraphicsListenAttributes[] = {
    {"type", spelled<OneOf<"none", "address", "network", "socket">>, true},
    {"address", spelled<NonEmptyText>},
    {"network", spelled<NonEmptyText>},
    {"socket", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kGraphicsChannelAttributes[] = {
    {"name",
     spelled<OneOf<"main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir">>,
     true},
    {"mode", spelled<OneOf<"any", "secure", "insecure">>, true},
};
constexpr ShapeAttribute kGraphicsImageAttributes[] = {
    {"compression", spelled<OneOf<"auto_glz", "auto_lz", "quic", "glz", "lz", "off">>, true},
};
constexpr ShapeAttribute kGraphicsJpegAttributes[] = {
    {"compression", spelled<OneOf<"auto", "never", "always">>, true},
};
constexpr ShapeAttribute kGraphicsZlibAttributes[] = {
    {"compression", spelled<OneOf<"auto", "never", "always">>, true},
};
constexpr ShapeAttribute kGraphicsPlaybackAttributes[] = {
    {"compression", spelled<OnOff>, true},
};
constexpr ShapeAttribute kGraphicsStreamingAttributes[] = {
    {"mode", spelled<OneOf<"filter", "all", "off">>, true},
};
constexpr ShapeAttribute kGraphicsMouseAttributes[] = {
    {"mode", spelled<OneOf<"server", "client">>, true},
};
constexpr ShapeAttribute kGraphicsClipboardAttributes[] = {
    {"copypaste", spelled<YesNo>, true},
};
constexpr ShapeAttribute kGraphicsFiletransferAttributes[] = {
    {"enable", spelled<YesNo>, true},
};
constexpr ShapeAttribute kGraphicsGlAttributes[] = {
    {"enable", spelled<YesNo>},
    {"rendernode", spelled<AbsolutePath>},
};
constexpr ShapeAttribute kGraphicsAudioAttributes[] = {
    {"id", spelled<Number>, true},
};
constexpr Shape kGraphicsChildren[] = {
    {.name = "listen", .attributes = kGraphicsListenAttributes, .repeated = true},
    {.name = "channel", .attributes = kGraphicsChannelAttributes, .repeated = true},
    {.name = "image", .attributes = kGraphicsImageAttributes},
    {.name = "jpeg", .attributes = kGraphicsJpegAttributes},
    {.name = "zlib", .attributes = kGraphicsZlibAttributes},
    {.name = "playback", .attributes = kGraphicsPlaybackAttributes},
    {.name = "streaming", .attributes = kGraphicsStreamingAttributes},
    {.name = "mouse", .attributes = kGraphicsMouseAttributes},
    {.name = "clipboard", .attributes = kGraphicsClipboardAttributes},
    {.name = "filetransfer", .attributes = kGraphicsFiletransferAttributes},
    {.name = "gl", .attributes = kGraphicsGlAttributes},
    {.name = "audio", .attributes = kGraphicsAudioAttributes},
};

}  // namespace

constexpr Shape kGraphicsShape = {
    .name = "graphics", .attributes = kGraphicsAttributes, .children = kGraphicsChildren, .repeated = true};

}  // namespace virttdx::domain_xml
