// SPDX-License-Identifier: GPL-2.0-or-later
// How a device reaches guest memory.
#pragma once

#include <cstddef>
#include <span>

#include "vmm_backend/gpa.h"

namespace virttdx {

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
};

}  // namespace virttdx
