// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <functional>

#include "bus/bus.h"

namespace virttdx {

/// The reset control register at port 0xCF9: RST_CPU going from 0 to 1 resets. Any thread.
/// Not emulated: kinds of reset; a TD can only be made anew.
class ResetControl final : public ByteRegion {
 public:
  explicit ResetControl(std::function<void()> on_reset) : on_reset_(std::move(on_reset)) {}

 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  const std::function<void()> on_reset_;
  std::atomic<std::uint8_t> value_ = 0;
};

}  // namespace virttdx
