// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <mutex>
#include <string>

#include "bus/bus.h"

namespace virttdx {

/// Firmware's debug output, logged line by line with priority debug. Any thread.
class DebugPort final : public ByteRegion {
 public:
  /// Longer lines are broken.
  static constexpr std::size_t kLineMaximum = 512;

 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  std::mutex mutex_;
  std::string line_;  ///< guarded by mutex_
};

}  // namespace virttdx
