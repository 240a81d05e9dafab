// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kSoundAttributes[] = {
    {"model", spelled<OneOf<"sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "ich7", "virtio">>,
     true},
};
constexpr ShapeAttribute kSoundCodecAttributes[] = {
    {"type", spelled<OneOf<"duplex", "micro", "output">>, true},
};
constexpr ShapeAttribute kSoundAudioAttributes[] = {
    {"id", spelled<Number>, true},
};
constexpr Shape kSoundChildren[] = {
    {.name = "codec", .attributes = kSoundCodecAttributes, .repeated = true},
    {.name = "audio", .attributes = kSoundAudioAttributes},
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kSoundShape = {
    .name = "sound", .attributes = kSoundAttributes, .children = kSoundChildren, .repeated = true};

}  // namespace virttdx::domain_xml
