// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/serial/serial.h"

namespace virttdx {

using namespace serial_spec;

Serial::Serial(SerialBackend& backend, InterruptLine& interrupt) : backend_(backend), interrupt_(interrupt) {
  backend_.set_input_listener([this] {
    const std::lock_guard lock(mutex_);
    pull_input();
    update_interrupt();
  });
}

Serial::~Serial() { backend_.set_input_listener(nullptr); }

std::uint8_t Serial::read_byte(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const std::uint8_t value = read_register(offset);
  update_interrupt();
  return value;
}

void Serial::write_byte(std::uint64_t offset, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  write_register(offset, value);
  update_interrupt();
}

std::uint8_t Serial::read_register(std::uint64_t offset) {
  switch (offset) {
    case kData:
      return divisor_latch() ? static_cast<std::uint8_t>(divisor_) : read_data();
    case kInterruptEnable:
      return divisor_latch() ? static_cast<std::uint8_t>(divisor_ >> 8) : interrupt_enable_;
    case kInterruptIdentification:
      return read_interrupt_identification();
    case kLineControl:
      return line_control_;
    case kModemControl:
      return modem_control_;
    case kLineStatus:
      return read_line_status();
    case kModemStatus:
      return read_modem_status();
    default:
      return scratch_;
  }
}

void Serial::write_register(std::uint64_t offset, std::uint8_t value) {
  switch (offset) {
    case kData:
      if (divisor_latch())
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0xFF00) | value);
      else
        write_data(value);
      break;
    case kInterruptEnable:
      if (divisor_latch())
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0x00FF) | value << 8);
      else
        write_interrupt_enable(value);
      break;
    case kInterruptIdentification:
      write_fifo_control(value);
      break;
    case kLineControl:
      line_control_ = value;
      break;
    case kModemControl:
      write_modem_control(value);
      break;
    case kScratch:
      scratch_ = value;
      break;
    default:  // line and modem status are read-only in normal use (8.2, 8.7)
      break;
  }
}

std::uint8_t Serial::read_data() {
  if (received_.empty()) pull_input();
  if (received_.empty()) return 0;
  const std::uint8_t value = received_.front();
  received_.pop_front();
  pull_input();
  return value;
}

std::uint8_t Serial::read_interrupt_identification() {
  const std::uint8_t source = interrupt_source();
  if (source == kIirTransmitterEmpty) transmitter_empty_pending_ = false;
  return static_cast<std::uint8_t>(source | (fifos_enabled() ? kIirFifosEnabled : 0));
}

std::uint8_t Serial::read_line_status() {
  pull_input();
  const auto status =
      static_cast<std::uint8_t>(kLsrTransmitterHoldingEmpty | kLsrTransmitterEmpty |
                                (received_.empty() ? 0 : kLsrDataReady) | (overrun_ ? kLsrOverrun : 0));
  overrun_ = false;
  return status;
}

std::uint8_t Serial::read_modem_status() {
  const auto status = static_cast<std::uint8_t>(modem_inputs() | modem_changes_);
  modem_changes_ = 0;
  return status;
}

void Serial::write_data(std::uint8_t value) {
  transmitter_empty_pending_ = true;
  if (!loop()) {
    const auto byte = static_cast<std::byte>(value);
    backend_.write({&byte, 1});
    return;
  }
  if (received_.size() < depth())
    received_.push_back(value);
  else
    overrun_ = true;
}

void Serial::write_interrupt_enable(std::uint8_t value) {
  const bool newly_enabled = (value & ~interrupt_enable_ & kIerTransmitterEmpty) != 0;
  interrupt_enable_ = value & kIerMask;
  if (newly_enabled) transmitter_empty_pending_ = true;
}

void Serial::write_fifo_control(std::uint8_t value) {
  const bool switched = ((value ^ fifo_control_) & kFcrEnable) != 0;
  if (switched || (value & kFcrResetReceiver) != 0) received_.clear();
  // The other bits are programmed only together with the enable bit (8.3).
  fifo_control_ = (value & kFcrEnable) != 0 ? value : 0;
  pull_input();
}

void Serial::write_modem_control(std::uint8_t value) {
  const std::uint8_t before = modem_inputs();
  modem_control_ = value & kMcrMask;
  const std::uint8_t after = modem_inputs();
  const auto changed = static_cast<std::uint8_t>((before ^ after) & (kMsrCts | kMsrDsr | kMsrCarrierDetect));
  modem_changes_ = static_cast<std::uint8_t>(modem_changes_ | changed >> 4);
  if ((before & ~after & kMsrRing) != 0) modem_changes_ |= kMsrTrailingRing;
}

std::uint8_t Serial::modem_inputs() const {
  if (!loop()) return kMsrCts | kMsrDsr | kMsrCarrierDetect;
  std::uint8_t inputs = 0;
  if ((modem_control_ & kMcrRts) != 0) inputs |= kMsrCts;
  if ((modem_control_ & kMcrDtr) != 0) inputs |= kMsrDsr;
  if ((modem_control_ & kMcrOut1) != 0) inputs |= kMsrRing;
  if ((modem_control_ & kMcrOut2) != 0) inputs |= kMsrCarrierDetect;
  return inputs;
}

std::uint8_t Serial::interrupt_source() const {
  if ((interrupt_enable_ & kIerLineStatus) != 0 && overrun_) return kIirLineStatus;
  if ((interrupt_enable_ & kIerReceivedData) != 0 && !received_.empty()) {
    // No time passes between characters: fewer than the trigger level have always waited long enough.
    const bool triggered = received_.size() >= kFcrTriggerLevels[fifo_control_ >> 6];
    return fifos_enabled() && !triggered ? kIirCharacterTimeout : kIirReceivedData;
  }
  if ((interrupt_enable_ & kIerTransmitterEmpty) != 0 && transmitter_empty_pending_)
    return kIirTransmitterEmpty;
  if ((interrupt_enable_ & kIerModemStatus) != 0 && modem_changes_ != 0) return kIirModemStatus;
  return kIirNone;
}

void Serial::pull_input() {
  if (loop() || received_.size() >= depth()) return;
  std::array<std::byte, kFifoDepth> input;
  const std::size_t taken = backend_.read(std::span(input).first(depth() - received_.size()));
  for (std::size_t i = 0; i < taken; ++i) received_.push_back(static_cast<std::uint8_t>(input[i]));
}

void Serial::update_interrupt() {
  interrupt_.set((modem_control_ & kMcrOut2) != 0 && !loop() && interrupt_source() != kIirNone);
}

}  // namespace virttdx
