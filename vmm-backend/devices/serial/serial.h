// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <deque>
#include <mutex>

#include "bus/bus.h"
#include "bus/interrupt_line.h"
#include "devices/serial/serial_backend.h"
#include "devices/serial/serial_spec.h"

namespace virttdx {

/// A 16550 UART. Sends at once and receives as fast as the guest reads; input waits in the back end while the
/// FIFO is full, so only loop-back can overrun.
/// Not emulated: baud rate and parity (any setting works), breaks, DMA mode; modem inputs are always
/// asserted.
class Serial final : public ByteRegion {
 public:
  /// Registers itself as `backend`'s listener until destroyed.
  Serial(SerialBackend& backend, InterruptLine& interrupt);
  ~Serial() override;
  Serial(const Serial&) = delete;
  Serial& operator=(const Serial&) = delete;

 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  // All below under mutex_.
  std::uint8_t read_register(std::uint64_t offset);
  void write_register(std::uint64_t offset, std::uint8_t value);
  bool divisor_latch() const { return (line_control_ & serial_spec::kLcrDivisorLatch) != 0; }
  bool fifos_enabled() const { return (fifo_control_ & serial_spec::kFcrEnable) != 0; }
  bool loop() const { return (modem_control_ & serial_spec::kMcrLoop) != 0; }
  std::size_t depth() const { return fifos_enabled() ? serial_spec::kFifoDepth : 1; }
  std::uint8_t read_data();
  std::uint8_t read_interrupt_identification();
  std::uint8_t read_line_status();
  std::uint8_t read_modem_status();
  void write_data(std::uint8_t value);
  void write_interrupt_enable(std::uint8_t value);
  void write_fifo_control(std::uint8_t value);
  void write_modem_control(std::uint8_t value);
  std::uint8_t modem_inputs() const;
  std::uint8_t interrupt_source() const;
  void pull_input();
  void update_interrupt();

  SerialBackend& backend_;
  InterruptLine& interrupt_;
  std::mutex mutex_;
  std::deque<std::uint8_t> received_;
  std::uint8_t interrupt_enable_ = 0;
  std::uint8_t fifo_control_ = 0;
  std::uint8_t line_control_ = 0;
  std::uint8_t modem_control_ = 0;
  std::uint8_t modem_changes_ = 0;
  std::uint8_t scratch_ = 0;
  std::uint16_t divisor_ = serial_spec::kDivisorAtReset;
  bool overrun_ = false;
  bool transmitter_empty_pending_ = false;
};

}  // namespace virttdx
