// SPDX-License-Identifier: GPL-2.0-or-later
// What a CD-ROM drive tells of itself and of its medium.
#include <algorithm>
#include <string_view>

#include "devices/scsi/big_endian.h"
#include "devices/scsi/scsi_cdrom.h"

namespace virttdx {

using namespace scsi_spec;

namespace {

using Data = std::vector<std::byte>;

constexpr std::string_view kVendor = "VIRTTDX", kProduct = "CD-ROM", kRevision = "1";
// A CD holds 80 minutes at most; what is larger is a DVD.
constexpr std::uint64_t kCdBlocks = 80ULL * kSecondsPerMinute * kFramesPerSecond;

// Texts are filled up with spaces.
void put_text(std::span<std::byte> room, std::string_view text) {
  std::ranges::fill(room, std::byte{' '});
  std::ranges::copy(std::as_bytes(std::span(text)).first(std::min(text.size(), room.size())), room.begin());
}

void append(Data& data, const Data& more) { data.insert(data.end(), more.begin(), more.end()); }

Data bytes_of(std::initializer_list<unsigned> values) {
  Data data;
  for (const unsigned value : values) data.push_back(static_cast<std::byte>(value));
  return data;
}

// MMC-6 7.3: eight retries are a default; nothing is done with them.
Data error_recovery_page() { return bytes_of({kPageErrorRecovery, 10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}); }

// MMC-3 annex E.3: reads CD-R, CD-RW, DVD-ROM; mode 2 and multiple sessions; a tray that can be locked and
// ejects.
Data capabilities_page(bool is_locked) {
  constexpr unsigned kTray = 0x20, kEjects = 8, kLocked = 2, kCanBeLocked = 1;
  const unsigned tray = kTray | kEjects | kCanBeLocked | (is_locked ? kLocked : 0);
  return bytes_of(
      {kPageCapabilities, 20, 0x0B, 0, 0x70, 0, tray, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

// Minutes, seconds and frames, or the block itself.
void put_block(Data& data, std::uint64_t block, bool msf) {
  Data address(4);
  const auto frames = static_cast<std::uint32_t>(std::min<std::uint64_t>(block, 0xFFFFFF00) + kMsfOffset);
  if (msf) {
    const std::uint32_t seconds = frames / kFramesPerSecond;
    address[1] = static_cast<std::byte>(std::min(seconds / kSecondsPerMinute, 255U));
    address[2] = static_cast<std::byte>(seconds % kSecondsPerMinute);
    address[3] = static_cast<std::byte>(frames % kFramesPerSecond);
  } else {
    store_be<std::uint32_t>(address, 0,
                            static_cast<std::uint32_t>(std::min<std::uint64_t>(block, 0xFFFFFFFF)));
  }
  append(data, address);
}

// MMC-6 5.2.2: code, persistent and current, length.
void put_feature(Data& data, std::uint16_t code, const Data& more) {
  Data feature(4);
  store_be<std::uint16_t>(feature, 0, code);
  feature[2] = std::byte{0x03};
  feature[3] = static_cast<std::byte>(more.size());
  append(feature, more);
  append(data, feature);
}

// What a page holds behind its header.
ScsiResult product_page(std::uint8_t page, const Data& content, std::size_t allocation) {
  Data data(4);
  data[0] = std::byte{kTypeCdrom};
  data[1] = std::byte{page};
  store_be<std::uint16_t>(data, 2, static_cast<std::uint16_t>(content.size()));
  append(data, content);
  return scsi_data(std::move(data), allocation);
}

}  // namespace

ScsiResult ScsiCdrom::inquiry(Cdb cdb) const {
  if ((cdb[1] & std::byte{1}) != std::byte{0}) return product_data(cdb);
  if (cdb[2] != std::byte{0}) return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
  Data data = bytes_of({kTypeCdrom, kInquiryRemovable, kVersionSpc3, kResponseFormat, kInquirySize - 5});
  data.resize(kInquirySize);
  put_text(std::span(data).subspan(kInquiryVendor, kVendorSize), kVendor);
  put_text(std::span(data).subspan(kInquiryProduct, kProductSize), kProduct);
  put_text(std::span(data).subspan(kInquiryRevision, kRevisionSize), kRevision);
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 3));
}

ScsiResult ScsiCdrom::product_data(Cdb cdb) const {
  const auto allocation = load_be<std::uint16_t>(cdb, 3);
  Data serial(std::min<std::size_t>(identity_.serial.size(), 247));
  put_text(serial, identity_.serial);
  const auto page = std::to_integer<std::uint8_t>(cdb[2]);
  if (page == kVpdPages)
    return product_page(page, bytes_of({kVpdPages, kVpdSerialNumber, kVpdIdentification}), allocation);
  if (page == kVpdSerialNumber) return product_page(page, serial, allocation);
  if (page != kVpdIdentification) return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
  Data designator =
      bytes_of({kDesignatorAscii, kDesignatorT10, 0, static_cast<unsigned>(kVendorSize + serial.size())});
  designator.resize(designator.size() + kVendorSize);
  put_text(std::span(designator).last(kVendorSize), kVendor);
  append(designator, serial);
  return product_page(page, designator, allocation);
}

std::optional<Data> cdrom_mode_pages(std::uint8_t page, bool is_locked) {
  Data data;
  if (page == kPageErrorRecovery || page == kPagesAll) append(data, error_recovery_page());
  if (page == kPageCapabilities || page == kPagesAll) append(data, capabilities_page(is_locked));
  return data.empty() ? std::nullopt : std::optional(std::move(data));
}

Data ScsiCdrom::tracks(bool msf, std::uint8_t first) const {
  Data data;
  if (first <= 1) {
    append(data, bytes_of({0, kTrackData, 1, 0}));
    put_block(data, 0, msf);
  }
  append(data, bytes_of({0, kTrackData, kTrackLeadOut, 0}));
  put_block(data, *blocks_, msf);
  return data;
}

ScsiResult ScsiCdrom::read_toc(Cdb cdb) const {
  const bool msf = (cdb[1] & std::byte{2}) != std::byte{0};
  const auto format = std::to_integer<std::uint8_t>(cdb[2] & std::byte{0x0F});
  const auto first = std::to_integer<std::uint8_t>(cdb[6]);
  Data data = bytes_of({0, 0, 1, 1});  // the first and the last track, or session
  if (format == kTocTracks && (first <= 1 || first == kTrackLeadOut)) {
    append(data, tracks(msf, first));
  } else if (format == kTocSessions) {
    append(data, bytes_of({0, kTrackData, 1, 0}));
    put_block(data, 0, msf);
  } else {
    return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
  }
  store_be<std::uint16_t>(data, 0, static_cast<std::uint16_t>(data.size() - 2));
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 7));
}

std::uint16_t ScsiCdrom::profile() const {
  if (!blocks_) return 0;
  return *blocks_ > kCdBlocks ? kProfileDvdrom : kProfileCdrom;
}

ScsiResult ScsiCdrom::get_configuration(Cdb cdb) const {
  const std::uint16_t current = profile();
  const auto listed = [&](std::uint16_t one) {
    return bytes_of({0, static_cast<unsigned>(one), static_cast<unsigned>(one == current ? 1 : 0), 0});
  };
  Data profiles = listed(kProfileDvdrom);
  append(profiles, listed(kProfileCdrom));
  Data data(8);
  store_be<std::uint16_t>(data, 6, current);
  const auto starting = load_be<std::uint16_t>(cdb, 2);
  if (starting <= kFeatureProfileList) put_feature(data, kFeatureProfileList, profiles);
  // The physical interface is SCSI; both event classes of DBE.
  if (starting <= kFeatureCore) put_feature(data, kFeatureCore, bytes_of({0, 0, 0, 1, 0, 0, 0, 0}));
  // A tray that ejects and can be locked.
  if (starting <= kFeatureRemovableMedium)
    put_feature(data, kFeatureRemovableMedium, bytes_of({0x29, 0, 0, 0}));
  if (starting <= kFeatureRandomReadable)
    put_feature(data, kFeatureRandomReadable, bytes_of({0, 0, kCdromBlock >> 8, 0, 0, 1, 0, 0}));
  store_be<std::uint32_t>(data, 0, static_cast<std::uint32_t>(data.size() - 4));
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 7));
}

ScsiResult ScsiCdrom::get_event_status(Cdb cdb) const {
  // Who wants to wait for an event must ask again.
  if ((cdb[1] & std::byte{1}) == std::byte{0}) return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
  const bool media = (cdb[4] & std::byte{1U << kEventMedia}) != std::byte{0};
  Data data = media ? bytes_of({0, 6, kEventMedia, 1U << kEventMedia, 0, 0, 0, 0})
                    : bytes_of({0, 2, 0x80, 1U << kEventMedia});
  if (media) {
    data[4] = static_cast<std::byte>(tray_.take_event());
    data[5] = static_cast<std::byte>((view_.is_open ? 1U : 0U) | (blocks_ ? 2U : 0U));
  }
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 7));
}

// A finished disc with one session that is complete.
ScsiResult ScsiCdrom::read_disc_information(Cdb cdb) const {
  Data data = bytes_of({0, 32, 0x0E, 1, 1, 1, 1, 0x20});
  data.resize(34);
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 7));
}

ScsiResult ScsiCdrom::mechanism_status(Cdb cdb) const {
  constexpr std::byte kDoorOpen{0x10};
  Data data(8);
  if (view_.is_open) data[1] = kDoorOpen;
  data[5] = std::byte{1};
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 8));
}

}  // namespace virttdx
