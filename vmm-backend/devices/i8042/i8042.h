// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "bus/bus.h"

namespace virttdx {

/// What is left of a PC's keyboard controller in a machine without one: a pulse of its reset line. Status and
/// data read as an empty bus does, so that firmware and kernels do not wait for a keyboard (OVMF asks for one
/// six times, 65 ms each). Any thread. Not emulated: the controller, keyboard, mouse, the A20 gate.
class I8042 final {
 public:
  explicit I8042(std::function<void()> on_reset) : command_port_(std::move(on_reset)) {}
  BusRegion& data_port() { return data_port_; }
  BusRegion& command_port() { return command_port_; }

 private:
  struct DataPort final : ByteRegion {
    std::uint8_t read_byte(std::uint64_t offset) override;
    void write_byte(std::uint64_t offset, std::uint8_t value) override;
  };
  struct CommandPort final : ByteRegion {
    explicit CommandPort(std::function<void()> on_reset) : on_reset_(std::move(on_reset)) {}
    std::uint8_t read_byte(std::uint64_t offset) override;
    void write_byte(std::uint64_t offset, std::uint8_t command) override;
    const std::function<void()> on_reset_;
  };

  DataPort data_port_;
  CommandPort command_port_;
};

}  // namespace virttdx
