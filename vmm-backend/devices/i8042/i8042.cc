// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/i8042/i8042.h"

namespace virttdx {

using namespace i8042_spec;

std::uint8_t I8042::read_data() {
  const std::lock_guard lock(mutex_);
  if (output_) last_output_ = *output_;
  output_.reset();
  return last_output_;
}

void I8042::write_data(std::uint8_t value) {
  bool reset = false;
  {
    const std::lock_guard lock(mutex_);
    last_was_command_ = false;
    if (expecting_ == kWriteCommandByte) command_byte_ = value;
    if (expecting_ == kWriteOutputPort) {
      output_port_ = value;
      reset = (value & kOutputNotReset) == 0;
    }
    expecting_ = 0;
  }
  if (reset) on_reset_();
}

std::uint8_t I8042::read_status() {
  const std::lock_guard lock(mutex_);
  std::uint8_t status = kStatusUnlocked | kStatusTimeout | kStatusParity;
  if (output_) status |= kStatusOutputFull;
  if (self_tested_) status |= kStatusSystem;
  if (last_was_command_) status |= kStatusCommand;
  return status;
}

void I8042::write_command(std::uint8_t command) {
  {
    const std::lock_guard lock(mutex_);
    last_was_command_ = true;
    const bool takes_data =
        command == kWriteCommandByte || command == kWriteOutputPort || command == kWriteToMouse;
    expecting_ = takes_data ? command : 0;
    if (const auto answer = answer_to(command)) output_ = answer;
    if (command == kSelfTest) self_tested_ = true;
  }
  // Line 0 of the output port is the processor's reset; a bit that is 0 pulses its line.
  if (command >= kPulseOutput && (command & kOutputNotReset) == 0) on_reset_();
}

std::optional<std::uint8_t> I8042::answer_to(std::uint8_t command) const {
  switch (command) {
    case kReadCommandByte:
      return command_byte_;
    case kSelfTest:
      return kSelfTestPassed;
    case kTestKeyboardInterface:
    case kTestMouseInterface:
      return kInterfaceClockStuckHigh;
    case kReadOutputPort:
      return output_port_;
    default:
      return std::nullopt;
  }
}

}  // namespace virttdx
