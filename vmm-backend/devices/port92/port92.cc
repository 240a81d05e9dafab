// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/port92/port92.h"

namespace virttdx {

using namespace port92_spec;

std::uint8_t Port92::read_byte(std::uint64_t) { return value_; }

void Port92::write_byte(std::uint64_t, std::uint8_t value) {
  const auto kept = static_cast<std::uint8_t>(value & (kInitNow | kAltA20Gate));
  const std::uint8_t before = value_.exchange(kept);
  if ((kept & ~before & kInitNow) != 0) on_reset_();
}

}  // namespace virttdx
