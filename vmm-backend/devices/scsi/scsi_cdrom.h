// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/scsi/cdrom_tray.h"
#include "devices/scsi/scsi_spec.h"

namespace virttdx {

/// Why a command ended with CHECK CONDITION.
struct ScsiSense {
  std::uint8_t key = 0, code = 0, qualifier = 0;
  bool operator==(const ScsiSense&) const = default;
  /// Fixed format.
  std::vector<std::byte> bytes() const;
};

/// What becomes of a command: sense, or data for the initiator, or a range of the medium that is to be read.
struct ScsiResult {
  struct Range {
    std::shared_ptr<ScsiMedium> medium;
    std::uint64_t offset = 0, size = 0;  ///< bytes, inside the medium
  };
  std::optional<ScsiSense> sense;
  std::vector<std::byte> data;
  std::optional<Range> read;
};

/// A CD-ROM or DVD-ROM drive behind a tray: the commands that operating systems and firmware use. Bytes of
/// the medium are somebody else's. One thread at a time. Not emulated: audio, writing.
class ScsiCdrom {
 public:
  struct Identity {
    std::string serial;  ///< at most 247 bytes; may be empty
  };
  /// `tray` outlives it.
  ScsiCdrom(CdromTray& tray, Identity identity) : tray_(tray), identity_(std::move(identity)) {}

  /// `cdb`: of any size and content; a command that is longer is an illegal request.
  ScsiResult execute(std::span<const std::byte> cdb);

 private:
  using Cdb = std::span<const std::byte>;
  using Data = std::vector<std::byte>;
  /// When a command is carried out (SAM-5 5.14, MMC-6 4.1.8.1).
  enum class Condition : std::uint8_t {
    Always,           ///< also while there is a unit attention
    NothingToAttend,  ///< which such a command tells and clears otherwise
    Medium,           ///< in addition with a medium only
  };
  struct Command {
    std::uint8_t operation;
    std::uint8_t size;  ///< of its CDB
    Condition condition;
    ScsiResult (ScsiCdrom::*run)(Cdb cdb) const;
  };
  static std::span<const Command> commands();

  std::optional<ScsiSense> refusal(Condition condition) const;
  ScsiSense no_medium() const;
  ScsiResult nothing(Cdb cdb) const;
  ScsiResult request_sense(Cdb cdb) const;
  ScsiResult start_stop_unit(Cdb cdb) const;
  ScsiResult prevent_removal(Cdb cdb) const;
  ScsiResult inquiry(Cdb cdb) const;
  ScsiResult product_data(Cdb cdb) const;
  ScsiResult mode_sense_6(Cdb cdb) const;
  ScsiResult mode_sense_10(Cdb cdb) const;
  ScsiResult read_capacity_10(Cdb cdb) const;
  ScsiResult service_action_in(Cdb cdb) const;
  ScsiResult read_10(Cdb cdb) const;
  ScsiResult read_12(Cdb cdb) const;
  ScsiResult read_16(Cdb cdb) const;
  ScsiResult read(std::uint64_t block, std::uint32_t count) const;
  ScsiResult read_toc(Cdb cdb) const;
  ScsiResult get_configuration(Cdb cdb) const;
  ScsiResult get_event_status(Cdb cdb) const;
  ScsiResult read_disc_information(Cdb cdb) const;
  ScsiResult mechanism_status(Cdb cdb) const;
  Data tracks(bool msf, std::uint8_t first) const;
  std::uint16_t profile() const;

  CdromTray& tray_;
  const Identity identity_;
  // As the command at hand found it.
  CdromTray::View view_;
  std::optional<std::uint64_t> blocks_;  ///< of kCdromBlock bytes
};

/// Mode pages that a MODE SENSE asks for; nothing for a page that there is not.
std::optional<std::vector<std::byte>> cdrom_mode_pages(std::uint8_t page, bool is_locked);
/// Data cut to what the initiator has room for.
ScsiResult scsi_data(std::vector<std::byte> data, std::size_t allocation);
ScsiResult scsi_error(ScsiSense sense);

}  // namespace virttdx
