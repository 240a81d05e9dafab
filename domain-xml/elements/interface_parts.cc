// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements/shapes.h"

namespace virttdx::domain_xml {
namespace {

/// Of TCP and UDP: 1 to 65535.
struct PortNumber {
  static Result<std::uint32_t> decode(std::string_view text) {
    const auto port = TRY(Count::decode(text));
    if (port <= 0xFFFF) return port;
    return fail(Error::Code::XmlInvalid, "expected a port number: 1 to 65535");
  }
  static std::string encode(std::uint32_t value) { return std::to_string(value); }
};

constexpr ShapeAttribute kVlanAttributes[] = {
    {"trunk", spelled<YesNo>},
};
constexpr ShapeAttribute kVlanTagAttributes[] = {
    {"id", spelled<Number>, true},
    {"nativeMode", spelled<OneOf<"tagged", "untagged">>},
};
constexpr Shape kVlanChildren[] = {
    {.name = "tag", .attributes = kVlanTagAttributes, .repeated = true},
};
constexpr ShapeAttribute kVirtualportAttributes[] = {
    {"type", spelled<OneOf<"openvswitch", "802.1Qbg", "802.1Qbh", "midonet">>},
};
constexpr ShapeAttribute kVirtualportParametersAttributes[] = {
    {"managerid", spelled<Number>}, {"typeid", spelled<Number>},    {"typeidversion", spelled<Number>},
    {"instanceid", spelled<Uuid>},  {"interfaceid", spelled<Uuid>}, {"profileid", spelled<NonEmptyText>},
};
constexpr Shape kVirtualportChildren[] = {
    {.name = "parameters", .attributes = kVirtualportParametersAttributes},
};
constexpr ShapeAttribute kBandwidthInboundAttributes[] = {
    {"average", spelled<Number64>},
    {"peak", spelled<Number64>},
    {"floor", spelled<Number64>},
    {"burst", spelled<Number64>},
};
constexpr ShapeAttribute kBandwidthOutboundAttributes[] = {
    {"average", spelled<Number64>},
    {"peak", spelled<Number64>},
    {"burst", spelled<Number64>},
};
constexpr Shape kBandwidthChildren[] = {
    {.name = "inbound", .attributes = kBandwidthInboundAttributes},
    {.name = "outbound", .attributes = kBandwidthOutboundAttributes},
};
constexpr ShapeAttribute kIpAttributes[] = {
    {"address", spelled<NonEmptyText>, true},
    {"family", spelled<OneOf<"ipv4", "ipv6">>},
    {"prefix", spelled<Number>},
    {"peer", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kRouteAttributes[] = {
    {"family", spelled<OneOf<"ipv4", "ipv6">>},
    {"address", spelled<NonEmptyText>, true},
    {"prefix", spelled<Number>},
    {"netmask", spelled<NonEmptyText>},
    {"gateway", spelled<NonEmptyText>, true},
    {"metric", spelled<Number>},
};
constexpr ShapeAttribute kPortForwardAttributes[] = {
    {"proto", spelled<OneOf<"tcp", "udp">>, true},
    {"address", spelled<NonEmptyText>},
    {"dev", spelled<NonEmptyText>},
};
constexpr ShapeAttribute kPortForwardRangeAttributes[] = {
    {"start", spelled<PortNumber>, true},
    {"end", spelled<PortNumber>},
    {"to", spelled<PortNumber>},
    {"exclude", spelled<YesNo>},
};
constexpr Shape kPortForwardChildren[] = {
    {.name = "range", .attributes = kPortForwardRangeAttributes, .repeated = true},
};
constexpr ShapeAttribute kFilterrefAttributes[] = {
    {"filter", spelled<NonEmptyText>, true},
};
constexpr ShapeAttribute kFilterrefParameterAttributes[] = {
    {"name", spelled<NonEmptyText>, true},
    {"value", spelled<NonEmptyText>, true},
};
constexpr Shape kFilterrefChildren[] = {
    {.name = "parameter", .attributes = kFilterrefParameterAttributes, .repeated = true},
};
constexpr Shape kTuneChildren[] = {
    {.name = "sndbuf", .text = spelled<Number64>},
};
constexpr ShapeAttribute kCoalesceRxFramesAttributes[] = {
    {"max", spelled<Number>},
};
constexpr Shape kCoalesceRxChildren[] = {
    {.name = "frames", .attributes = kCoalesceRxFramesAttributes},
};
constexpr Shape kCoalesceChildren[] = {
    {.name = "rx", .children = kCoalesceRxChildren},
};
constexpr ShapeAttribute kTeamingAttributes[] = {
    {"type", spelled<OneOf<"persistent", "transient">>, true},
    {"persistent", spelled<NonEmptyText>},
};

}  // namespace

constexpr Shape kVlanShape = {.name = "vlan", .attributes = kVlanAttributes, .children = kVlanChildren};
constexpr Shape kVirtualportShape = {
    .name = "virtualport", .attributes = kVirtualportAttributes, .children = kVirtualportChildren};
constexpr Shape kBandwidthShape = {.name = "bandwidth", .children = kBandwidthChildren};
constexpr Shape kIpShape = {.name = "ip", .attributes = kIpAttributes, .repeated = true};
constexpr Shape kRouteShape = {.name = "route", .attributes = kRouteAttributes, .repeated = true};
constexpr Shape kPortForwardShape = {.name = "portForward",
                                     .attributes = kPortForwardAttributes,
                                     .children = kPortForwardChildren,
                                     .repeated = true};
constexpr Shape kFilterrefShape = {
    .name = "filterref", .attributes = kFilterrefAttributes, .children = kFilterrefChildren};
constexpr Shape kTuneShape = {.name = "tune", .children = kTuneChildren};
constexpr Shape kCoalesceShape = {.name = "coalesce", .children = kCoalesceChildren};
constexpr Shape kTeamingShape = {.name = "teaming", .attributes = kTeamingAttributes};

}  // namespace virttdx::domain_xml
