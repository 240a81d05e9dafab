// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kTpmAttributes[] = {
    {"model", spelled<OneOf<"tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy">>},
};
constexpr ShapeAttribute kTpmBackendAttributes[] = {
    {"type", spelled<OneOf<"passthrough", "emulator", "external">>, true},
    {"version", spelled<OneOf<"1.2", "2.0">>},
    {"persistent_state", spelled<YesNo>},
};
constexpr ShapeAttribute kTpmBackendDeviceAttributes[] = {
    {"path", spelled<AbsolutePath>},
};
constexpr ShapeAttribute kTpmBackendEncryptionAttributes[] = {
    {"secret", spelled<Uuid>, true},
};
constexpr Shape kTpmBackendActivePcrBanksChildren[] = {
    {.name = "sha1"},
    {.name = "sha256"},
    {.name = "sha384"},
    {.name = "sha512"},
};
constexpr Shape kTpmBackendChildren[] = {
    {.name = "device", .attributes = kTpmBackendDeviceAttributes},
    {.name = "encryption", .attributes = kTpmBackendEncryptionAttributes},
    {.name = "active_pcr_banks", .children = kTpmBackendActivePcrBanksChildren},
};
constexpr Shape kTpmChildren[] = {
    {.name = "backend", .attributes = kTpmBackendAttributes, .children = kTpmBackendChildren},
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kTpmShape = {
    .name = "tpm", .attributes = kTpmAttributes, .children = kTpmChildren, .repeated = true};

}  // namespace virttdx::domain_xml
