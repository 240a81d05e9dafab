// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/scsi/scsi_cdrom.h"

#include <algorithm>
#include <array>
#include <limits>

#include "devices/scsi/big_endian.h"

namespace virttdx {

using namespace scsi_spec;

namespace {

constexpr ScsiSense kMediumChanged{kKeyUnitAttention, kCodeMediumMayHaveChanged, 0};

}  // namespace

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

ScsiResult scsi_error(ScsiSense sense) { return {.sense = sense, .data = {}, .read = std::nullopt}; }

std::span<const ScsiCdrom::Command> ScsiCdrom::commands() {
  using enum Condition;
  static constexpr std::array kCommands = {
      Command{kTestUnitReady, 6, Medium, &ScsiCdrom::nothing},
      Command{kRequestSense, 6, Always, &ScsiCdrom::request_sense},
      Command{kInquiry, 6, Always, &ScsiCdrom::inquiry},
      Command{kModeSense6, 6, NothingToAttend, &ScsiCdrom::mode_sense_6},
      Command{kStartStopUnit, 6, NothingToAttend, &ScsiCdrom::start_stop_unit},
      Command{kPreventRemoval, 6, NothingToAttend, &ScsiCdrom::prevent_removal},
      Command{kReadCapacity10, 10, Medium, &ScsiCdrom::read_capacity_10},
      Command{kRead10, 10, Medium, &ScsiCdrom::read_10},
      Command{kSynchronizeCache10, 10, Medium, &ScsiCdrom::nothing},
      Command{kReadToc, 10, Medium, &ScsiCdrom::read_toc},
      Command{kGetConfiguration, 10, Always, &ScsiCdrom::get_configuration},
      Command{kGetEventStatus, 10, Always, &ScsiCdrom::get_event_status},
      Command{kReadDiscInformation, 10, Medium, &ScsiCdrom::read_disc_information},
      Command{kModeSense10, 10, NothingToAttend, &ScsiCdrom::mode_sense_10},
      Command{kRead16, 16, Medium, &ScsiCdrom::read_16},
      Command{kServiceActionIn16, 16, Medium, &ScsiCdrom::service_action_in},
      Command{kRead12, 12, Medium, &ScsiCdrom::read_12},
      Command{kMechanismStatus, 12, NothingToAttend, &ScsiCdrom::mechanism_status},
  };
  return kCommands;
}

ScsiResult ScsiCdrom::execute(Cdb cdb) {
  const auto all = commands();
  const auto operation = cdb.empty() ? kTestUnitReady : std::to_integer<std::uint8_t>(cdb[0]);
  const auto command = std::ranges::find(all, operation, &Command::operation);
  if (command == all.end() || cdb.size() < command->size)
    return scsi_error({kKeyIllegalRequest, kCodeInvalidOperation});
  view_ = tray_.look();
  blocks_ = view_.medium ? std::optional(view_.medium->size() / kCdromBlock) : std::nullopt;
  if (const auto sense = refusal(command->condition)) return scsi_error(*sense);
  return (this->*command->run)(cdb);
}

std::optional<ScsiSense> ScsiCdrom::refusal(Condition condition) const {
  if (condition == Condition::Always) return std::nullopt;
  if (tray_.take_change()) return kMediumChanged;
  return condition == Condition::Medium && !blocks_ ? std::optional(no_medium()) : std::nullopt;
}

ScsiSense ScsiCdrom::no_medium() const {
  return {kKeyNotReady, kCodeNoMedium, view_.is_open ? kQualifierTrayOpen : kQualifierTrayClosed};
}

ScsiResult ScsiCdrom::nothing(Cdb) const { return {}; }

// Sense comes with the command that it belongs to: all that can be left is a unit attention.
ScsiResult ScsiCdrom::request_sense(Cdb cdb) const {
  const ScsiSense sense = tray_.take_change() ? kMediumChanged : ScsiSense();
  return scsi_data(sense.bytes(), std::to_integer<std::size_t>(cdb[4]));
}

// MMC-6 6.42: what loads and ejects has no power condition.
ScsiResult ScsiCdrom::start_stop_unit(Cdb cdb) const {
  constexpr std::byte kLoadOrEject{2}, kStart{1}, kPowerConditions{0xF0};
  if ((cdb[4] & kPowerConditions) != std::byte{0} || (cdb[4] & kLoadOrEject) == std::byte{0}) return {};
  if ((cdb[4] & kStart) != std::byte{0})
    tray_.close();
  else if (!tray_.open_by_guest())
    return scsi_error({kKeyIllegalRequest, kCodeRemovalFailed, kQualifierRemovalPrevented});
  return {};
}

ScsiResult ScsiCdrom::prevent_removal(Cdb cdb) const {
  tray_.lock((cdb[4] & std::byte{1}) != std::byte{0});
  return {};
}

ScsiResult ScsiCdrom::mode_sense_6(Cdb cdb) const {
  const auto pages =
      cdrom_mode_pages(std::to_integer<std::uint8_t>(cdb[2] & std::byte{0x3F}), view_.is_locked);
  if (!pages) return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
  Data data(4);
  data.insert(data.end(), pages->begin(), pages->end());
  data[0] = static_cast<std::byte>(data.size() - 1);
  return scsi_data(std::move(data), std::to_integer<std::size_t>(cdb[4]));
}

ScsiResult ScsiCdrom::mode_sense_10(Cdb cdb) const {
  const auto pages =
      cdrom_mode_pages(std::to_integer<std::uint8_t>(cdb[2] & std::byte{0x3F}), view_.is_locked);
  if (!pages) return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
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
    return scsi_error({kKeyIllegalRequest, kCodeInvalidField});
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
    return scsi_error({kKeyIllegalRequest, kCodeAddressOutOfRange});
  return {.sense = std::nullopt,
          .data = {},
          .read = ScsiResult::Range{view_.medium, block * kCdromBlock, std::uint64_t{count} * kCdromBlock}};
}

}  // namespace virttdx
