// SPDX-License-Identifier: GPL-2.0-or-later
// A machine without vCPUs, for tests and the fuzz target.
#pragma once

#include <array>

#include "device_access.h"
#include "machine/machine.h"
#include "memory_serial_backend.h"

namespace virttdx::test {

struct TestMachine {
  MemoryLayout layout = memory_layout(64U << 20, 2U << 20).value();
  SettableClock clock;
  RtcAdjustment clock_adjustment;
  FlatMemory memory{1U << 16};
  MemorySerialBackend com1, com2, com3, com4;
  std::vector<MsiMessage> interrupts;
  int power_offs = 0;
  int resets = 0;
  int panics = 0;
  std::unique_ptr<Machine> machine =
      Machine::create({.uuid = "00112233-4455-6677-8899-aabbccddeeff",
                       .x2apic_ids = {0},
                       .layout = layout,
                       .clock = clock,
                       .clock_adjustment = clock_adjustment,
                       .memory = memory,
                       .serials = {{0, &com1}, {1, &com2}, {2, &com3}, {3, &com4}},
                       .interrupts = [this](const MsiMessage& message) { interrupts.push_back(message); },
                       .on_power_off = [this] { ++power_offs; },
                       .on_reset = [this] { ++resets; },
                       .on_panic = [this] { ++panics; }})
          .value();
};

}  // namespace virttdx::test
