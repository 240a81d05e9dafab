// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
    std::uint64_t offset = 0, size = 0;  ///< bytes, inside the medium
  };
  std::optional<ScsiSense> sense;
  std::vector<std::byte> data;
  std::optional<Range> read;
};

/// A CD-ROM or DVD-ROM drive with a medium that stays, or without one: the commands that operating systems
/// and firmware use. Bytes of the medium are somebody else's. Any thread: it has no state. Not emulated:
/// audio, ejecting (the medium is locked), unit attentions, writing.
class ScsiCdrom {
 public:
  struct Identity {
    std::string serial;  ///< at most 247 bytes; may be empty
  };
  /// `medium`: its size in bytes; nothing: an empty drive.
  ScsiCdrom(std::optional<std::uint64_t> medium, Identity identity);

  /// `cdb`: of any size and content; a command that is longer is an illegal request.
  ScsiResult execute(std::span<const std::byte> cdb) const;

 private:
  using Cdb = std::span<const std::byte>;
  using Data = std::vector<std::byte>;
  struct Command {
    std::uint8_t operation;
    std::uint8_t size;  ///< of its CDB
    bool needs_medium;
    ScsiResult (ScsiCdrom::*run)(Cdb cdb) const;
  };
  static std::span<const Command> commands();

  ScsiResult nothing(Cdb cdb) const;
  ScsiResult request_sense(Cdb cdb) const;
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

  const std::optional<std::uint64_t> blocks_;  ///< of kCdromBlock bytes
  const Identity identity_;
};

/// Mode pages that a MODE SENSE asks for; nothing for a page that there is not.
std::optional<std::vector<std::byte>> cdrom_mode_pages(std::uint8_t page);
/// Data cut to what the initiator has room for.
ScsiResult scsi_data(std::vector<std::byte> data, std::size_t allocation);
ScsiResult scsi_error(std::uint8_t key, std::uint8_t code);

}  // namespace virttdx
