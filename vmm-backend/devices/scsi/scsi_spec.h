// SPDX-License-Identifier: GPL-2.0-or-later
// SCSI Primary Commands 4 (SPC-4), Block Commands 3 (SBC-3), Multi-Media Commands 6 (MMC-6) and Architecture
// Model 5 (SAM-5), INCITS T10. Numbers in commands and data are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace virttdx::scsi_spec {

// SPC-4 6, MMC-6 6: operation codes.
inline constexpr std::uint8_t kTestUnitReady = 0x00;
inline constexpr std::uint8_t kRequestSense = 0x03;
inline constexpr std::uint8_t kInquiry = 0x12;
inline constexpr std::uint8_t kModeSense6 = 0x1A;
inline constexpr std::uint8_t kStartStopUnit = 0x1B;
inline constexpr std::uint8_t kPreventRemoval = 0x1E;
inline constexpr std::uint8_t kReadCapacity10 = 0x25;
inline constexpr std::uint8_t kRead10 = 0x28;
inline constexpr std::uint8_t kSynchronizeCache10 = 0x35;
inline constexpr std::uint8_t kReadToc = 0x43;
inline constexpr std::uint8_t kGetConfiguration = 0x46;
inline constexpr std::uint8_t kGetEventStatus = 0x4A;
inline constexpr std::uint8_t kReadDiscInformation = 0x51;
inline constexpr std::uint8_t kModeSense10 = 0x5A;
inline constexpr std::uint8_t kRead16 = 0x88;
inline constexpr std::uint8_t kServiceActionIn16 = 0x9E;
inline constexpr std::uint8_t kReportLuns = 0xA0;
inline constexpr std::uint8_t kRead12 = 0xA8;
inline constexpr std::uint8_t kMechanismStatus = 0xBD;
inline constexpr std::uint8_t kReadCapacity16Action = 0x10;

// SAM-5 5.3: status.
inline constexpr std::uint8_t kStatusGood = 0x00;
inline constexpr std::uint8_t kStatusCheckCondition = 0x02;

// SPC-4 4.5: sense data of fixed format.
inline constexpr std::size_t kSenseSize = 18;
inline constexpr std::uint8_t kSenseCurrent = 0x70;
inline constexpr std::size_t kSenseKey = 2;
inline constexpr std::size_t kSenseAdditionalLength = 7;
inline constexpr std::size_t kSenseCode = 12;
inline constexpr std::size_t kSenseQualifier = 13;
inline constexpr std::uint8_t kKeyNotReady = 0x02;
inline constexpr std::uint8_t kKeyMediumError = 0x03;
inline constexpr std::uint8_t kKeyIllegalRequest = 0x05;
inline constexpr std::uint8_t kKeyUnitAttention = 0x06;
inline constexpr std::uint8_t kCodeNotReady = 0x04;
inline constexpr std::uint8_t kQualifierBecomingReady = 0x01;
inline constexpr std::uint8_t kCodeUnrecoveredRead = 0x11;
inline constexpr std::uint8_t kCodeInvalidOperation = 0x20;
inline constexpr std::uint8_t kCodeAddressOutOfRange = 0x21;
inline constexpr std::uint8_t kCodeInvalidField = 0x24;
inline constexpr std::uint8_t kCodeUnitNotSupported = 0x25;
inline constexpr std::uint8_t kCodeMediumMayHaveChanged = 0x28;
inline constexpr std::uint8_t kCodeNoMedium = 0x3A;
inline constexpr std::uint8_t kQualifierTrayClosed = 0x01, kQualifierTrayOpen = 0x02;
inline constexpr std::uint8_t kCodeRemovalFailed = 0x53;
inline constexpr std::uint8_t kQualifierRemovalPrevented = 0x02;

// SPC-4 6.4.2: standard INQUIRY data.
inline constexpr std::uint8_t kTypeCdrom = 0x05;
inline constexpr std::uint8_t kTypeNoUnit = 0x7F;
inline constexpr std::size_t kInquirySize = 36;
inline constexpr std::uint8_t kInquiryRemovable = 0x80;
inline constexpr std::uint8_t kVersionSpc3 = 0x05;
inline constexpr std::uint8_t kResponseFormat = 0x02;
inline constexpr std::size_t kInquiryVendor = 8, kInquiryProduct = 16, kInquiryRevision = 32;
inline constexpr std::size_t kVendorSize = 8, kProductSize = 16, kRevisionSize = 4;
// SPC-4 7.8: vital product data.
inline constexpr std::uint8_t kVpdPages = 0x00;
inline constexpr std::uint8_t kVpdSerialNumber = 0x80;
inline constexpr std::uint8_t kVpdIdentification = 0x83;
inline constexpr std::uint8_t kDesignatorAscii = 0x02;
inline constexpr std::uint8_t kDesignatorT10 = 0x01;

// MMC-6 7: mode pages.
inline constexpr std::uint8_t kPageErrorRecovery = 0x01;
inline constexpr std::uint8_t kPageCapabilities = 0x2A;
inline constexpr std::uint8_t kPagesAll = 0x3F;

// MMC-6 5.3: features, and 5.3.1: profiles.
inline constexpr std::uint16_t kFeatureProfileList = 0x0000;
inline constexpr std::uint16_t kFeatureCore = 0x0001;
inline constexpr std::uint16_t kFeatureRemovableMedium = 0x0003;
inline constexpr std::uint16_t kFeatureRandomReadable = 0x0010;
inline constexpr std::uint16_t kProfileCdrom = 0x0008;
inline constexpr std::uint16_t kProfileDvdrom = 0x0010;

// MMC-6 6.25: READ TOC/PMA/ATIP.
inline constexpr std::uint8_t kTocTracks = 0;
inline constexpr std::uint8_t kTocSessions = 1;
inline constexpr std::uint8_t kTrackLeadOut = 0xAA;
inline constexpr std::uint8_t kTrackData = 0x14;  // address 1, control 4: a data track
inline constexpr std::uint32_t kMsfOffset = 150, kFramesPerSecond = 75, kSecondsPerMinute = 60;

// MMC-6 6.6: GET EVENT STATUS NOTIFICATION.
inline constexpr std::uint8_t kEventMedia = 4;

inline constexpr std::uint32_t kCdromBlock = 2048;

}  // namespace virttdx::scsi_spec
