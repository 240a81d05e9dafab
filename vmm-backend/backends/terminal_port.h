// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "backends/worker.h"
#include "devices/serial/serial_backend.h"
#include "devices/virtio_console/port_backend.h"

namespace virttdx {

/// A console port on what serial ports have too: pseudo-terminal, log file, console attachment. Somebody is
/// always there: what nobody reads is kept for the next reader, as far as there is room.
class TerminalPort final : public PortBackend {
 public:
  /// References outlive it.
  TerminalPort(SerialBackend& console, Worker& worker);
  ~TerminalPort() override { console_.set_input_listener(nullptr); }
  TerminalPort(const TerminalPort&) = delete;
  TerminalPort& operator=(const TerminalPort&) = delete;

  std::size_t write(std::span<const std::byte> bytes) override;
  std::size_t read(std::span<std::byte> into) override { return console_.read(into); }
  bool is_connected() const override { return true; }

 private:
  SerialBackend& console_;
};

}  // namespace virttdx
