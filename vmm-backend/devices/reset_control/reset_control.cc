// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/reset_control/reset_control.h"

#include "devices/reset_control/reset_control_spec.h"

namespace virttdx {

using namespace reset_control_spec;

std::uint8_t ResetControl::read_byte(std::uint64_t) { return value_; }

void ResetControl::write_byte(std::uint64_t, std::uint8_t value) {
  const auto kept = static_cast<std::uint8_t>(value & kWritable);
  const std::uint8_t before = value_.exchange(kept);
  if ((kept & ~before & kResetCpu) != 0) on_reset_();
}

}  // namespace virttdx
