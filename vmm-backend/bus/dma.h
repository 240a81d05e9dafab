// SPDX-License-Identifier: GPL-2.0-or-later
// How a device reaches guest memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm_backend/gpa.h"

namespace virttdx {

/// A part of guest memory, for a device's back end in another process.
struct DmaFile {
  std::span<std::byte> bytes;  ///< where it is mapped here
  int fd = -1;                 ///< the memory file it is in; the DmaMemory's
  std::uint64_t offset = 0;    ///< in the file
  Gpa gpa{};                   ///< where the guest has it
};

/// The memory that the guest shares with the monitor. Any thread. The guest may change its bytes at any time:
/// read once, then decide.
class DmaMemory {
 public:
  virtual ~DmaMemory() = default;
  /// Copies out of or into guest memory; false, with nothing or a part copied, unless every byte lies in RAM.
  virtual bool read(Gpa gpa, std::span<std::byte> into) = 0;
  virtual bool write(Gpa gpa, std::span<const std::byte> bytes) = 0;
  /// The bytes themselves, for rings and for data that is moved in bulk; empty unless every byte lies in RAM,
  /// in one piece. They stay mapped as long as this object. When the guest makes the pages private
  /// afterwards, they hold zeros and what is written there reaches nobody.
  virtual std::span<std::byte> map(Gpa gpa, std::size_t size) = 0;
  /// The files that hold everything map() gives, to be mapped elsewhere; empty when there are none.
  virtual std::vector<DmaFile> files() { return {}; }
};

}  // namespace virttdx
