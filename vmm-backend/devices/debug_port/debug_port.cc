// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/debug_port/debug_port.h"

#include "devices/debug_port/debug_port_spec.h"
#include "support/log.h"

namespace virttdx {

std::uint8_t DebugPort::read_byte(std::uint64_t) { return debug_port_spec::kPresent; }

void DebugPort::write_byte(std::uint64_t, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  if (value != '\n' && value != '\r') line_.push_back(static_cast<char>(value));
  if (value != '\n' && line_.size() < kLineMaximum) return;
  log::debug("firmware: {}", line_);
  line_.clear();
}

}  // namespace virttdx
