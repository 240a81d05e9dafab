// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

constexpr ShapeAttribute kHapAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervAttributes[] = {
    {"mode", spelled<OneOf<"custom", "passthrough">>},
};
constexpr ShapeAttribute kHypervRelaxedAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervVapicAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervSpinlocksAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
    {"retries", spelled<Number>},
};
constexpr ShapeAttribute kHypervVpindexAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervRuntimeAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervSynicAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervStimerAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervStimerDirectAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr Shape kHypervStimerChildren[] = {
    {.name = "direct", .attributes = kHypervStimerDirectAttributes},
};
constexpr ShapeAttribute kHypervResetAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervVendorIdAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
    {"value", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kHypervFrequenciesAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervReenlightenmentAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervTlbflushAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervIpiAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervEvmcsAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kHypervAvicAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr Shape kHypervChildren[] = {
    {.name = "relaxed", .attributes = kHypervRelaxedAttributes},
    {.name = "vapic", .attributes = kHypervVapicAttributes},
    {.name = "spinlocks", .attributes = kHypervSpinlocksAttributes},
    {.name = "vpindex", .attributes = kHypervVpindexAttributes},
    {.name = "runtime", .attributes = kHypervRuntimeAttributes},
    {.name = "synic", .attributes = kHypervSynicAttributes},
    {.name = "stimer", .attributes = kHypervStimerAttributes, .children = kHypervStimerChildren},
    {.name = "reset", .attributes = kHypervResetAttributes},
    {.name = "vendor_id", .attributes = kHypervVendorIdAttributes},
    {.name = "frequencies", .attributes = kHypervFrequenciesAttributes},
    {.name = "reenlightenment", .attributes = kHypervReenlightenmentAttributes},
    {.name = "tlbflush", .attributes = kHypervTlbflushAttributes},
    {.name = "ipi", .attributes = kHypervIpiAttributes},
    {.name = "evmcs", .attributes = kHypervEvmcsAttributes},
    {.name = "avic", .attributes = kHypervAvicAttributes},
};
constexpr ShapeAttribute kKvmHiddenAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kKvmHintDedicatedAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kKvmPollControlAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kKvmPvIpiAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr Shape kKvmChildren[] = {
    {.name = "hidden", .attributes = kKvmHiddenAttributes},
    {.name = "hint-dedicated", .attributes = kKvmHintDedicatedAttributes},
    {.name = "poll-control", .attributes = kKvmPollControlAttributes},
    {.name = "pv-ipi", .attributes = kKvmPvIpiAttributes},
};
constexpr ShapeAttribute kPvspinlockAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kVmportAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};
constexpr ShapeAttribute kVmcoreinfoAttributes[] = {
    {"state", spelled<OnOff>, false, "on"},
};

}  // namespace

constexpr Shape kHapShape = {.name = "hap", .attributes = kHapAttributes};
constexpr Shape kHypervShape = {
    .name = "hyperv", .attributes = kHypervAttributes, .children = kHypervChildren};
constexpr Shape kKvmShape = {.name = "kvm", .children = kKvmChildren};
constexpr Shape kPvspinlockShape = {.name = "pvspinlock", .attributes = kPvspinlockAttributes};
constexpr Shape kVmportShape = {.name = "vmport", .attributes = kVmportAttributes};
constexpr Shape kVmcoreinfoShape = {.name = "vmcoreinfo", .attributes = kVmcoreinfoAttributes};

}  // namespace virttdx::domain_xml
