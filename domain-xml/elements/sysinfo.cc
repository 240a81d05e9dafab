// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kSysinfoAttributes[] = {
    {"type", spelled<OneOf<"smbios", "fwcfg">>, true},
};
constexpr ShapeAttribute kSysinfoBiosEntryAttributes[] = {
    {"name", spelled<OneOf<"vendor", "version", "date", "release">>, true},
};
constexpr Shape kSysinfoBiosChildren[] = {
    {.name = "entry", .attributes = kSysinfoBiosEntryAttributes, .text = spelled<Text>, .repeated = true},
};
constexpr ShapeAttribute kSysinfoSystemEntryAttributes[] = {
    {"name", spelled<OneOf<"manufacturer", "product", "version", "serial", "uuid", "sku", "family">>, true},
};
constexpr Shape kSysinfoSystemChildren[] = {
    {.name = "entry", .attributes = kSysinfoSystemEntryAttributes, .text = spelled<Text>, .repeated = true},
};
constexpr ShapeAttribute kSysinfoBaseBoardEntryAttributes[] = {
    {"name", spelled<OneOf<"manufacturer", "product", "version", "serial", "asset", "location">>, true},
};
constexpr Shape kSysinfoBaseBoardChildren[] = {
    {.name = "entry",
     .attributes = kSysinfoBaseBoardEntryAttributes,
     .text = spelled<Text>,
     .repeated = true},
};
constexpr ShapeAttribute kSysinfoChassisEntryAttributes[] = {
    {"name", spelled<OneOf<"manufacturer", "version", "serial", "asset", "sku">>, true},
};
constexpr Shape kSysinfoChassisChildren[] = {
    {.name = "entry", .attributes = kSysinfoChassisEntryAttributes, .text = spelled<Text>, .repeated = true},
};
constexpr Shape kSysinfoOemStringsChildren[] = {
    {.name = "entry", .text = spelled<Text>, .repeated = true},
};
constexpr ShapeAttribute kSysinfoEntryAttributes[] = {
    {"name", spelled<NonEmptyText>, true},
    {"file", spelled<AbsolutePath>},
};
constexpr Shape kSysinfoChildren[] = {
    {.name = "bios", .children = kSysinfoBiosChildren},
    {.name = "system", .children = kSysinfoSystemChildren},
    {.name = "baseBoard", .children = kSysinfoBaseBoardChildren, .repeated = true},
    {.name = "chassis", .children = kSysinfoChassisChildren},
    {.name = "oemStrings", .children = kSysinfoOemStringsChildren},
    {.name = "entry", .attributes = kSysinfoEntryAttributes, .text = spelled<Text>, .repeated = true},
};

}  // namespace

constexpr Shape kSysinfoShape = {
    .name = "sysinfo", .attributes = kSysinfoAttributes, .children = kSysinfoChildren, .repeated = true};

}  // namespace virttdx::domain_xml
