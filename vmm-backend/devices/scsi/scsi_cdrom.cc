// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/scsi/scsi_cdrom.h"

#include <algorithm>
#include <array>
#include <limits>

#include "devices/scsi/big_endian.h"

namespace virttdx {

using namespace scsi_spec;

std::vector<std::byte> ScsiSense::bytes() const {
  std::vector<std::byte> sense(kSenseSize);
  sense[0] = std::byte{kSenseCurrent};
  sense[kSenseKey] = std::byte{key};
  sense[kSenseAdditionalLength] = std::byte{kSenseSize - kSenseAdditionalLength - 1};
  sense[kSenseCode] = std::byte{code};
  sense[kSenseQualifier] = std::byte{qualifier};
  return sense;
}

ScsiResult scsi_data(std::vector<std::byte> data, std::size_t allocation) {
  data.resize(std::min(data.size(), allocation));
  return {.sense = std::nullopt, .data = std::move(data), .read = std::nullopt};
}

ScsiResult scsi_error(std::uint8_t key, std::uint8_t code) {
  return {.sense = ScsiSense{key, code, 0}, .data = {}, .read = std::nullopt};
}

ScsiCdrom::ScsiCdrom(std::optional<std::uint64_t> medium, Identity identity)
    : blocks_(medium ? std::optional(*medium / kCdromBlock) : std::nullopt), identity_(std::move(identity)) {}

std::span<const ScsiCdrom::Command> ScsiCdrom::commands() {
  static constexpr std::array kCommands = {
      Command{kTestUnitReady, 6, true, &ScsiCdrom::nothing},
      Command{kRequestSense, 6, false, &ScsiCdrom::request_sense},
      Command{kInquiry, 6, false, &ScsiCdrom::inquiry},
      Command{kModeSense6, 6, false, &ScsiCdrom::mode_sense_6},
      Command{kStartStopUnit, 6, false, &ScsiCdrom::nothing},
      Command{kPreventRemoval, 6, false, &ScsiCdrom::nothing},
      Command{kReadCapacity10, 10, true, &ScsiCdrom::read_capacity_10},
      Command{kRead10, 10, true, &ScsiCdrom::read_10},
      Command{kSynchronizeCache10, 10, true, &ScsiCdrom::nothing},
      Command{kReadToc, 10, true, &ScsiCdrom::read_toc},
      Command{kGetConfiguration, 10, false, &ScsiCdrom::get_configuration},
      Command{kGetEventStatus, 10, false, &ScsiCdrom::get_event_status},
      Command{kReadDiscInformation, 10, true, &ScsiCdrom::read_disc_information},
      Command{kModeSense10, 10, false, &ScsiCdrom::mode_sense_10},
      Command{kRead16, 16, true, &ScsiCdrom::read_16},
      Command{kServiceActionIn16, 16, true, &ScsiCdrom::service_action_in},
      Command{kRead12, 12, true, &ScsiCdrom::read_12},
      Command{kMechanismStatus, 12, false, &ScsiCdrom::mechanism_status},
  };
  return kCommands;
}

ScsiResult ScsiCdrom::execute(Cdb cdb) const {
  const auto all = commands();
  const auto operation = cdb.empty() ? kTestUnitReady : std::to_integer<std::uint8_t>(cdb[0]);
  const auto command = std::ranges::find(all, operation, &Command::operation);
  if (command == all.end() || cdb.size() < command->size)
    return scsi_error(kKeyIllegalRequest, kCodeInvalidOperation);
  if (command->needs_medium && !blocks_) return scsi_error(kKeyNotReady, kCodeNoMedium);
  return (this->*command->run)(cdb);
}

ScsiResult ScsiCdrom::nothing(Cdb) const { return {}; }

// Sense comes with the command that it belongs to; there is never any left.
ScsiResult ScsiCdrom::request_sense(Cdb cdb) const {
  return scsi_data(ScsiSense().bytes(), std::to_integer<std::size_t>(cdb[4]));
}

ScsiResult ScsiCdrom::mode_sense_6(Cdb cdb) const {
  const auto pages = cdrom_mode_pages(std::to_integer<std::uint8_t>(cdb[2] & std::byte{0x3F}));
  if (!pages) return scsi_error(kKeyIllegalRequest, kCodeInvalidField);
  Data data(4);
  data.insert(data.end(), pages->begin(), pages->end());
  data[0] = static_cast<std::byte>(data.size() - 1);
  return scsi_data(std::move(data), std::to_integer<std::size_t>(cdb[4]));
}

ScsiResult ScsiCdrom::mode_sense_10(Cdb cdb) const {
  const auto pages = cdrom_mode_pages(std::to_integer<std::uint8_t>(cdb[2] & std::byte{0x3F}));
  if (!pages) return scsi_error(kKeyIllegalRequest, kCodeInvalidField);
  Data data(8);
  data.insert(data.end(), pages->begin(), pages->end());
  store_be<std::uint16_t>(data, 0, static_cast<std::uint16_t>(data.size() - 2));
  return scsi_data(std::move(data), load_be<std::uint16_t>(cdb, 7));
}

ScsiResult ScsiCdrom::read_capacity_10(Cdb) const {
  constexpr std::uint64_t kMaximum = std::numeric_limits<std::uint32_t>::max();
  Data data(8);
  store_be<std::uint32_t>(
      data, 0,
      static_cast<std::uint32_t>(std::min(*blocks_ - std::min<std::uint64_t>(*blocks_, 1), kMaximum)));
  store_be<std::uint32_t>(data, 4, kCdromBlock);
  return scsi_data(std::move(data), 8);
}

ScsiResult ScsiCdrom::service_action_in(Cdb cdb) const {
  if ((cdb[1] & std::byte{0x1F}) != std::byte{kReadCapacity16Action})
    return scsi_error(kKeyIllegalRequest, kCodeInvalidField);
  Data data(32);
  store_be<std::uint64_t>(data, 0, *blocks_ - std::min<std::uint64_t>(*blocks_, 1));
  store_be<std::uint32_t>(data, 8, kCdromBlock);
  return scsi_data(std::move(data), load_be<std::uint32_t>(cdb, 10));
}

ScsiResult ScsiCdrom::read_10(Cdb cdb) const {
  return read(load_be<std::uint32_t>(cdb, 2), load_be<std::uint16_t>(cdb, 7));
}
ScsiResult ScsiCdrom::read_12(Cdb cdb) const {
  return read(load_be<std::uint32_t>(cdb, 2), load_be<std::uint32_t>(cdb, 6));
}
ScsiResult ScsiCdrom::read_16(Cdb cdb) const {
  return read(load_be<std::uint64_t>(cdb, 2), load_be<std::uint32_t>(cdb, 10));
}

ScsiResult ScsiCdrom::read(std::uint64_t block, std::uint32_t count) const {
  if (block > *blocks_ || count > *blocks_ - block)
    return scsi_error(kKeyIllegalRequest, kCodeAddressOutOfRange);
  return {.sense = std::nullopt,
          .data = {},
          .read = ScsiResult::Range{block * kCdromBlock, std::uint64_t{count} * kCdromBlock}};
}

}  // namespace virttdx
