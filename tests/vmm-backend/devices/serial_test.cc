// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/serial/serial.h"

#include <gtest/gtest.h>

#include "device_access.h"
#include "memory_serial_backend.h"

namespace virttdx {
namespace {

using namespace serial_spec;
using test::in8;
using test::out8;

struct SerialTest : testing::Test {
  test::MemorySerialBackend backend;
  test::RecordingLine line;
  Serial serial{backend, line};
  void enable_interrupts(unsigned sources) {
    out8(serial, kModemControl, kMcrOut2);
    out8(serial, kInterruptEnable, sources);
  }
};

// PC16550D, table III "UART Reset Functions".
TEST_F(SerialTest, HasTheDatasheetsResetValues) {
  EXPECT_EQ(in8(serial, kInterruptEnable), 0x00);
  EXPECT_EQ(in8(serial, kInterruptIdentification), 0x01);
  EXPECT_EQ(in8(serial, kLineControl), 0x00);
  EXPECT_EQ(in8(serial, kModemControl), 0x00);
  EXPECT_EQ(in8(serial, kLineStatus), 0x60);
  EXPECT_EQ(in8(serial, kModemStatus) & 0x0F, 0x00);
}

TEST_F(SerialTest, ScratchRegisterHoldsWhatIsWritten) {
  out8(serial, kScratch, 0xAA);
  EXPECT_EQ(in8(serial, kScratch), 0xAA);
  out8(serial, kScratch, 0x55);
  EXPECT_EQ(in8(serial, kScratch), 0x55);
}

TEST_F(SerialTest, DivisorLatchHidesDataAndInterruptEnable) {
  out8(serial, kLineControl, 0x83);
  out8(serial, kData, 0x01);
  out8(serial, kInterruptEnable, 0x02);
  EXPECT_EQ(in8(serial, kData), 0x01);
  EXPECT_EQ(in8(serial, kInterruptEnable), 0x02);
  out8(serial, kLineControl, 0x03);
  EXPECT_EQ(in8(serial, kInterruptEnable), 0x00);
  EXPECT_EQ(backend.output(), "");
}

TEST_F(SerialTest, ReservedBitsStayZero) {
  out8(serial, kInterruptEnable, 0xFF);
  EXPECT_EQ(in8(serial, kInterruptEnable), 0x0F);
  out8(serial, kModemControl, 0xFF);
  EXPECT_EQ(in8(serial, kModemControl), 0x1F);
}

TEST_F(SerialTest, StatusRegistersIgnoreWrites) {
  out8(serial, kLineStatus, 0xFF);
  out8(serial, kModemStatus, 0xFF);
  EXPECT_EQ(in8(serial, kLineStatus), 0x60);
  EXPECT_EQ(in8(serial, kModemStatus), 0xB0);
}

TEST_F(SerialTest, SendsBytesInOrder) {
  out8(serial, kData, 'o');
  out8(serial, kData, 'k');
  EXPECT_EQ(backend.output(), "ok");
}

TEST_F(SerialTest, ReceivesInputBeyondItsFifoWithoutLoss) {
  out8(serial, kInterruptIdentification, kFcrEnable);
  const std::string text = "forty characters are more than a FIFO of 16";
  backend.type(text);
  std::string received;
  while ((in8(serial, kLineStatus) & kLsrDataReady) != 0) received += static_cast<char>(in8(serial, kData));
  EXPECT_EQ(received, text);
  EXPECT_EQ(in8(serial, kData), 0);
}

TEST_F(SerialTest, RaisesTheLineForInputAndLowersItWhenRead) {
  enable_interrupts(kIerReceivedData);
  EXPECT_FALSE(line.asserted);
  backend.type("x");
  EXPECT_TRUE(line.asserted);
  EXPECT_EQ(in8(serial, kInterruptIdentification), kIirReceivedData);
  EXPECT_EQ(in8(serial, kData), 'x');
  EXPECT_FALSE(line.asserted);
  EXPECT_EQ(in8(serial, kInterruptIdentification), kIirNone);
}

TEST_F(SerialTest, ReportsCharacterTimeoutBelowTheTriggerLevel) {
  out8(serial, kInterruptIdentification, kFcrEnable | 0x40);  // 4 bytes
  enable_interrupts(kIerReceivedData);
  backend.type("abc");
  EXPECT_EQ(in8(serial, kInterruptIdentification), kIirFifosEnabled | kIirCharacterTimeout);
  backend.type("d");
  EXPECT_EQ(in8(serial, kInterruptIdentification), kIirFifosEnabled | kIirReceivedData);
}

TEST_F(SerialTest, TransmitterInterruptIsClearedByReadingItsIdentification) {
  enable_interrupts(kIerTransmitterEmpty);
  EXPECT_TRUE(line.asserted);
  EXPECT_EQ(in8(serial, kInterruptIdentification), kIirTransmitterEmpty);
  EXPECT_FALSE(line.asserted);
  out8(serial, kData, 'x');
  EXPECT_TRUE(line.asserted);
}

TEST_F(SerialTest, Out2GatesTheInterruptLine) {
  out8(serial, kInterruptEnable, kIerReceivedData);
  backend.type("x");
  EXPECT_FALSE(line.asserted);
  out8(serial, kModemControl, kMcrOut2);
  EXPECT_TRUE(line.asserted);
}

TEST_F(SerialTest, LoopBackReturnsBytesAndModemOutputs) {
  out8(serial, kModemControl, kMcrLoop | kMcrRts | kMcrOut2);
  out8(serial, kData, 'L');
  EXPECT_EQ(in8(serial, kData), 'L');
  EXPECT_EQ(in8(serial, kModemStatus) & 0xF0, kMsrCts | kMsrCarrierDetect);
  EXPECT_EQ(backend.output(), "");
}

TEST_F(SerialTest, OverrunInLoopBackIsReportedOnce) {
  out8(serial, kModemControl, kMcrLoop);
  out8(serial, kData, '1');
  out8(serial, kData, '2');
  EXPECT_EQ(in8(serial, kLineStatus), 0x63);
  EXPECT_EQ(in8(serial, kLineStatus), 0x61);
  EXPECT_EQ(in8(serial, kData), '1');
}

TEST_F(SerialTest, ModemStatusReportsAChangeOnce) {
  out8(serial, kModemControl, kMcrLoop);
  EXPECT_EQ(in8(serial, kModemStatus), 0x0B);
  EXPECT_EQ(in8(serial, kModemStatus), 0x00);
}

TEST_F(SerialTest, ResettingTheReceiverDropsWhatItHolds) {
  out8(serial, kInterruptIdentification, kFcrEnable);
  backend.type("abc");
  EXPECT_NE(in8(serial, kLineStatus) & kLsrDataReady, 0);
  out8(serial, kInterruptIdentification, kFcrEnable | kFcrResetReceiver);
  EXPECT_EQ(in8(serial, kLineStatus) & kLsrDataReady, 0);
}

}  // namespace
}  // namespace virttdx
