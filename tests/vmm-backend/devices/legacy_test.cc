// SPDX-License-Identifier: GPL-2.0-or-later
// The small legacy devices: keyboard controller, port 0x92, interrupt controllers, debug port, reset control.
#include <gtest/gtest.h>

#include "device_access.h"
#include "devices/debug_port/debug_port.h"
#include "devices/i8042/i8042.h"
#include "devices/i8042/i8042_spec.h"
#include "devices/pic/pic.h"
#include "devices/port92/port92.h"
#include "devices/reset_control/reset_control.h"

namespace virttdx {
namespace {

using test::in8;
using test::out8;

struct Counter {
  int count = 0;
  std::function<void()> callback() {
    return [this] { ++count; };
  }
};

TEST(I8042, ReadsAsAnEmptyBus) {
  Counter resets;
  I8042 controller(resets.callback());
  EXPECT_EQ(in8(controller.command_port(), 0), 0xFF);
  EXPECT_EQ(in8(controller.data_port(), 0), 0xFF);
}

TEST(I8042, ResetsByPulsingLineZeroOnly) {
  Counter resets;
  I8042 controller(resets.callback());
  out8(controller.command_port(), 0, 0xFF);
  out8(controller.command_port(), 0, 0xFD);
  EXPECT_EQ(resets.count, 0);
  out8(controller.command_port(), 0, 0xFE);
  EXPECT_EQ(resets.count, 1);
}

TEST(I8042, OnlyThePulseCommandsOfAllCommandsReset) {
  Counter resets;
  I8042 controller(resets.callback());
  for (unsigned command = 0; command < i8042_spec::kPulseOutput; ++command)
    out8(controller.command_port(), 0, command);
  EXPECT_EQ(resets.count, 0);
}

TEST(Port92, HoldsA20AndResetsOnInitNowRising) {
  Counter resets;
  Port92 port(resets.callback());
  EXPECT_EQ(in8(port, 0), 0x02);
  out8(port, 0, 0xFC);
  EXPECT_EQ(in8(port, 0), 0x00);
  EXPECT_EQ(resets.count, 0);
  out8(port, 0, 0x03);
  out8(port, 0, 0x03);
  EXPECT_EQ(resets.count, 1);
}

TEST(Pic, HoldsItsMask) {
  Pic pic;
  out8(pic, 1, 0xFB);
  EXPECT_EQ(in8(pic, 1), 0xFB);
}

TEST(Pic, TakesInitializationWordsBeforeTheMask) {
  Pic pic;
  out8(pic, 1, 0xFF);
  out8(pic, 0, 0x11);
  EXPECT_EQ(in8(pic, 1), 0x00);
  out8(pic, 1, 0x68);
  out8(pic, 1, 0x04);
  out8(pic, 1, 0x01);
  EXPECT_EQ(in8(pic, 1), 0x00);
  out8(pic, 1, 0xFF);
  EXPECT_EQ(in8(pic, 1), 0xFF);
}

TEST(Pic, HasNothingRequestedOrInService) {
  Pic pic;
  out8(pic, 0, 0x0A);
  EXPECT_EQ(in8(pic, 0), 0);
  out8(pic, 0, 0x0B);
  EXPECT_EQ(in8(pic, 0), 0);
}

TEST(EdgeLevelControl, KeepsFixedLinesOnEdge) {
  EdgeLevelControl control;
  out8(control, 0, 0xFF);
  out8(control, 1, 0xFF);
  EXPECT_EQ(in8(control, 0), 0xF8);
  EXPECT_EQ(in8(control, 1), 0xDE);
}

TEST(DebugPort, SaysThatItIsThere) {
  DebugPort port;
  EXPECT_EQ(in8(port, 0), 0xE9);
  for (int i = 0; i < 2000; ++i) out8(port, 0, 'x');
  EXPECT_EQ(in8(port, 0), 0xE9);
}

TEST(ResetControl, ResetsWhenResetCpuRises) {
  Counter resets;
  ResetControl control(resets.callback());
  out8(control, 0, 0x02);
  EXPECT_EQ(resets.count, 0);
  out8(control, 0, 0xF6);
  EXPECT_EQ(resets.count, 1);
  EXPECT_EQ(in8(control, 0), 0x06);
  out8(control, 0, 0x06);
  EXPECT_EQ(resets.count, 1);
}

}  // namespace
}  // namespace virttdx
