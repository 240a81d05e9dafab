// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/terminal_port.h"

#include <sys/eventfd.h>

namespace virttdx {

TerminalPort::TerminalPort(SerialBackend& console, Worker& worker) : console_(console) {
  console_.set_input_listener([&worker] { ::eventfd_write(worker.doorbell(), 1); });
}

std::size_t TerminalPort::write(std::span<const std::byte> bytes) {
  console_.write(bytes);
  return bytes.size();
}

}  // namespace virttdx
