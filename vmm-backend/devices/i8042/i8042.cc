// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/i8042/i8042.h"

#include "devices/i8042/i8042_spec.h"

namespace virttdx {

using namespace i8042_spec;

std::uint8_t I8042::DataPort::read_byte(std::uint64_t) { return kNothingThere; }

void I8042::DataPort::write_byte(std::uint64_t, std::uint8_t) {}

std::uint8_t I8042::CommandPort::read_byte(std::uint64_t) { return kNothingThere; }

void I8042::CommandPort::write_byte(std::uint64_t, std::uint8_t command) {
  // Line 0 of the output port is the processor's reset; a bit that is 0 pulses its line.
  if (command >= kPulseOutput && (command & kLineNotReset) == 0) on_reset_();
}

}  // namespace virttdx
