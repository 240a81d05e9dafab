// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kFilesystemAttributes[] = {
    {"type", spelled<OneOf<"mount", "template", "file", "block", "ram", "bind", "volume">>},
    {"accessmode", spelled<OneOf<"passthrough", "mapped", "squash">>},
    {"multidevs", spelled<OneOf<"default", "remap", "forbid">>},
    {"fmode", spelled<NonEmptyText>},
    {"dmode", spelled<NonEmptyText>},
    {"model", spelled<OneOf<"virtio", "virtio-transitional", "virtio-non-transitional">>},
};
constexpr ShapeAttribute kFilesystemDriverAttributes[] = {
    {"type", spelled<OneOf<"path", "handle", "loop", "nbd", "ploop", "virtiofs">>},
    {"format", spelled<NonEmptyText>},
    {"wrpolicy", spelled<OneOf<"immediate">>},
    {"queue", spelled<Number>},
    {"iommu", spelled<OnOff>},
    {"ats", spelled<OnOff>},
    {"packed", spelled<OnOff>},
};
constexpr ShapeAttribute kFilesystemBinaryAttributes[] = {
    {"path", spelled<AbsolutePath>},
    {"xattr", spelled<OnOff>},
};
constexpr ShapeAttribute kFilesystemBinaryCacheAttributes[] = {
    {"mode", spelled<OneOf<"none", "always">>},
};
constexpr ShapeAttribute kFilesystemBinarySandboxAttributes[] = {
    {"mode", spelled<OneOf<"namespace", "chroot">>},
};
constexpr ShapeAttribute kFilesystemBinaryLockAttributes[] = {
    {"posix", spelled<OnOff>},
    {"flock", spelled<OnOff>},
};
constexpr ShapeAttribute kFilesystemBinaryThreadPoolAttributes[] = {
    {"size", spelled<Number>},
};
constexpr Shape kFilesystemBinaryChildren[] = {
    {.name = "cache", .attributes = kFilesystemBinaryCacheAttributes},
    {.name = "sandbox", .attributes = kFilesystemBinarySandboxAttributes},
    {.name = "lock", .attributes = kFilesystemBinaryLockAttributes},
    {.name = "thread_pool", .attributes = kFilesystemBinaryThreadPoolAttributes},
};
constexpr ShapeAttribute kFilesystemSourceAttributes[] = {
    {"dir", spelled<NonEmptyText>},  {"file", spelled<NonEmptyText>},  {"dev", spelled<NonEmptyText>},
    {"name", spelled<NonEmptyText>}, {"pool", spelled<NonEmptyText>},  {"volume", spelled<NonEmptyText>},
    {"usage", spelled<Number>},      {"units", spelled<NonEmptyText>}, {"socket", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kFilesystemTargetAttributes[] = {
    {"dir", spelled<NonEmptyText>, true},
};
constexpr ShapeAttribute kFilesystemSpaceHardLimitAttributes[] = {
    {"unit", spelled<Text>},
};
constexpr ShapeAttribute kFilesystemSpaceSoftLimitAttributes[] = {
    {"unit", spelled<Text>},
};
constexpr Shape kFilesystemChildren[] = {
    {.name = "driver", .attributes = kFilesystemDriverAttributes},
    {.name = "binary", .attributes = kFilesystemBinaryAttributes, .children = kFilesystemBinaryChildren},
    {.name = "source", .attributes = kFilesystemSourceAttributes},
    {.name = "target", .attributes = kFilesystemTargetAttributes},
    {.name = "readonly"},
    {.name = "space_hard_limit",
     .attributes = kFilesystemSpaceHardLimitAttributes,
     .text = spelled<Number64>},
    {.name = "space_soft_limit",
     .attributes = kFilesystemSpaceSoftLimitAttributes,
     .text = spelled<Number64>},
    kBootShape,
    kAliasShape,
    kAcpiShape,
    kAddressShape,
};

}  // namespace

constexpr Shape kFilesystemShape = {.name = "filesystem",
                                    .attributes = kFilesystemAttributes,
                                    .children = kFilesystemChildren,
                                    .repeated = true};

}  // namespace virttdx::domain_xml
