// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pvpanic/pvpanic.h"

#include "support/log.h"

namespace virttdx {

using namespace pvpanic_spec;

std::uint8_t Pvpanic::read_byte(std::uint64_t) { return kPanicked | kCrashLoaded; }

void Pvpanic::write_byte(std::uint64_t, std::uint8_t value) {
  if ((value & kCrashLoaded) != 0) log::info("the guest has crashed and handles that itself");
  if ((value & kPanicked) != 0) on_panic_();
}

}  // namespace virttdx
