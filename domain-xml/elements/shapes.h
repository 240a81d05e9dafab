// SPDX-License-Identifier: GPL-2.0-or-later
// The elements that are kept as canonical XML: a shape each, in the file of its name, and the lists of them
// in libvirt's order.
#pragma once

#include "elements/shape.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {

/// What every device may have.
inline constexpr ShapeAttribute kAliasAttributes[] = {{"name", spelled<NonEmptyText>, true}};
inline constexpr ShapeAttribute kAcpiAttributes[] = {{"index", spelled<Count>, true}};
inline constexpr ShapeAttribute kBootAttributes[] = {{"order", spelled<Count>, true}};
inline constexpr Shape kAliasShape = {.name = "alias", .attributes = kAliasAttributes};
inline constexpr Shape kAcpiShape = {.name = "acpi", .attributes = kAcpiAttributes};
inline constexpr Shape kBootShape = {.name = "boot", .attributes = kBootAttributes};
inline constexpr Shape kAddressShape = {.name = "address", .device_address = true};

extern const Shape kFilesystemShape;
extern const Shape kInputShape;
extern const Shape kTpmShape;
extern const Shape kGraphicsShape;
extern const Shape kSoundShape;
extern const Shape kAudioShape;
extern const Shape kVideoShape;
extern const Shape kHostdevShape;
extern const Shape kRedirdevShape;
extern const Shape kHubShape;
extern const Shape kWatchdogShape;
extern const Shape kPanicShape;
extern const Shape kIommuShape;
extern const Shape kGenidShape;
extern const Shape kMaxMemoryShape;
extern const Shape kMemoryBackingShape;
extern const Shape kVcpusShape;
extern const Shape kIothreadsShape;
extern const Shape kIothreadidsShape;
extern const Shape kDefaultiothreadShape;
extern const Shape kResourceShape;
extern const Shape kSysinfoShape;
extern const Shape kOnLockfailureShape;
extern const Shape kPmShape;
extern const Shape kPerfShape;
extern const Shape kSeclabelShape;
extern const Shape kHapShape;
extern const Shape kHypervShape;
extern const Shape kKvmShape;
extern const Shape kPvspinlockShape;
extern const Shape kVmportShape;
extern const Shape kVmcoreinfoShape;
extern const Shape kCacheShape;
extern const Shape kNumaShape;
extern const Shape kVlanShape;
extern const Shape kVirtualportShape;
extern const Shape kBandwidthShape;
extern const Shape kIpShape;
extern const Shape kRouteShape;
extern const Shape kPortForwardShape;
extern const Shape kFilterrefShape;
extern const Shape kTuneShape;
extern const Shape kCoalesceShape;
extern const Shape kTeamingShape;
extern const Shape kReservationsShape;
extern const Shape kInitiatorShape;
extern const Shape kSslShape;
extern const Shape kCookiesShape;
extern const Shape kReadaheadShape;
extern const Shape kTimeoutShape;
extern const Shape kReconnectShape;

inline constexpr const Shape* kDeviceShapes[] = {
    &kFilesystemShape, &kInputShape,    &kTpmShape, &kGraphicsShape, &kSoundShape, &kAudioShape, &kVideoShape,
    &kHostdevShape,    &kRedirdevShape, &kHubShape, &kWatchdogShape, &kPanicShape, &kIommuShape,
};
inline constexpr const Shape* kSectionShapes[] = {
    &kGenidShape,           &kMaxMemoryShape, &kMemoryBackingShape,
    &kVcpusShape,           &kIothreadsShape, &kIothreadidsShape,
    &kDefaultiothreadShape, &kResourceShape,  &kSysinfoShape,
    &kOnLockfailureShape,   &kPmShape,        &kPerfShape,
    &kSeclabelShape,
};
inline constexpr const Shape* kFeatureShapes[] = {
    &kHapShape, &kHypervShape, &kKvmShape, &kPvspinlockShape, &kVmportShape, &kVmcoreinfoShape,
};
inline constexpr const Shape* kCpuShapes[] = {
    &kCacheShape,
    &kNumaShape,
};
inline constexpr const Shape* kInterfaceShapes[] = {
    &kVlanShape,        &kVirtualportShape, &kBandwidthShape, &kIpShape,       &kRouteShape,
    &kPortForwardShape, &kFilterrefShape,   &kTuneShape,      &kCoalesceShape, &kTeamingShape,
};
inline constexpr const Shape* kDiskSourceShapes[] = {
    &kReservationsShape, &kInitiatorShape, &kSslShape,       &kCookiesShape,
    &kReadaheadShape,    &kTimeoutShape,   &kReconnectShape,
};

}  // namespace virttdx::domain_xml
