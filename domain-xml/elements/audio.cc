// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kAudioAttributes[] = {
    {"id", spelled<Count>, true},
    {"type",
     spelled<OneOf<"none", "alsa", "coreaudio", "jack", "oss", "pulseaudio", "sdl", "spice", "file", "dbus">>,
     true},
    {"serverName", spelled<NonEmptyText>},
    {"timerPeriod", spelled<Number>},
};

}  // namespace

constexpr Shape kAudioShape = {.name = "audio", .attributes = kAudioAttributes, .repeated = true};

}  // namespace virttdx::domain_xml
