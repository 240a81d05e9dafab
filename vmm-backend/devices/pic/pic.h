// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "bus/bus.h"

namespace virttdx {

/// One 8259A as a TD sees it: initialization and mask registers hold what is written, nothing is ever
/// requested or in service. Any thread. Not emulated: delivery of interrupts. A TD has no virtual-wire path
/// (TDX Module Base Spec, "Interrupts"); the I/O APIC delivers.
class Pic final : public ByteRegion {
 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  std::mutex mutex_;
  std::uint8_t mask_ = 0;         ///< guarded by mutex_
  int initialization_words_ = 0;  ///< still to come at offset 1; guarded by mutex_
};

/// The edge/level control registers of both controllers: hold what is written. Any thread.
class EdgeLevelControl final : public ByteRegion {
 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  std::mutex mutex_;
  std::array<std::uint8_t, 2> registers_{};  ///< guarded by mutex_
};

}  // namespace virttdx
