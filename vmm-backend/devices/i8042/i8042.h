// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "bus/bus.h"
#include "devices/i8042/i8042_spec.h"

namespace virttdx {

/// A keyboard controller with empty sockets: answers its own commands, and resets the machine when asked.
/// Status keeps time-out and parity error set, as after talking to a device that is not there: firmware then
/// does not wait for one. Any thread.
/// Not emulated: keyboard, mouse, interrupts 1 and 12, the A20 gate.
class I8042 final {
 public:
  explicit I8042(std::function<void()> on_reset) : on_reset_(std::move(on_reset)) {}
  BusRegion& data_port() { return data_port_; }
  BusRegion& command_port() { return command_port_; }

 private:
  struct DataPort final : ByteRegion {
    explicit DataPort(I8042& device) : device_(device) {}
    std::uint8_t read_byte(std::uint64_t) override { return device_.read_data(); }
    void write_byte(std::uint64_t, std::uint8_t value) override { device_.write_data(value); }
    I8042& device_;
  };
  struct CommandPort final : ByteRegion {
    explicit CommandPort(I8042& device) : device_(device) {}
    std::uint8_t read_byte(std::uint64_t) override { return device_.read_status(); }
    void write_byte(std::uint64_t, std::uint8_t value) override { device_.write_command(value); }
    I8042& device_;
  };
  std::uint8_t read_data();
  void write_data(std::uint8_t value);
  std::uint8_t read_status();
  void write_command(std::uint8_t command);
  std::optional<std::uint8_t> answer_to(std::uint8_t command) const;

  const std::function<void()> on_reset_;
  DataPort data_port_{*this};
  CommandPort command_port_{*this};
  std::mutex mutex_;
  // Guarded by mutex_.
  std::optional<std::uint8_t> output_;
  std::uint8_t last_output_ = 0;
  std::uint8_t expecting_ = 0;  ///< the command whose data byte comes next, 0 for none
  bool last_was_command_ = false;
  bool self_tested_ = false;
  std::uint8_t command_byte_ = i8042_spec::kCommandByteAtReset;
  std::uint8_t output_port_ = i8042_spec::kOutputNotReset | i8042_spec::kOutputA20;
};

}  // namespace virttdx
