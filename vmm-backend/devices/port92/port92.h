// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <functional>

#include "bus/bus.h"
#include "devices/port92/port92_spec.h"

namespace virttdx {

/// The fast A20 and INIT register. Setting INIT_NOW resets. Any thread.
/// Not emulated: the A20 gate itself; the bit holds what is written, address line 20 is always open.
class Port92 final : public ByteRegion {
 public:
  explicit Port92(std::function<void()> on_reset) : on_reset_(std::move(on_reset)) {}

 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  const std::function<void()> on_reset_;
  std::atomic<std::uint8_t> value_ = port92_spec::kAltA20Gate;
};

}  // namespace virttdx
