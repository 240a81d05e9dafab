// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/io_apic/io_apic.h"

#include <gtest/gtest.h>

#include "device_access.h"

namespace virttdx {
namespace {

using namespace io_apic_spec;

struct IoApicTest : testing::Test {
  std::vector<MsiMessage> sent;
  IoApic io_apic{[this](const MsiMessage& message) { sent.push_back(message); }};
  std::uint32_t get(std::uint8_t index) {
    test::write_as<std::uint32_t>(io_apic, kSelect, index);
    return test::read_as<std::uint32_t>(io_apic, kWindow);
  }
  void set(unsigned index, std::uint32_t value) {
    test::write_as<std::uint32_t>(io_apic, kSelect, index);
    test::write_as<std::uint32_t>(io_apic, kWindow, value);
  }
  void program(unsigned pin, std::uint64_t entry) {
    set(kRedirectionTable + 2 * pin + 1, static_cast<std::uint32_t>(entry >> 32));
    set(kRedirectionTable + 2 * pin, static_cast<std::uint32_t>(entry));
  }
};

TEST_F(IoApicTest, HasTheDatasheetsResetValues) {
  EXPECT_EQ(get(kId), 0U);
  EXPECT_EQ(get(kVersion), 0x00170011U);
  for (unsigned pin = 0; pin < kPins; ++pin) {
    EXPECT_EQ(get(static_cast<std::uint8_t>(kRedirectionTable + 2 * pin)), 0x10000U) << pin;
    EXPECT_EQ(get(static_cast<std::uint8_t>(kRedirectionTable + 2 * pin + 1)), 0U) << pin;
  }
}

TEST_F(IoApicTest, EveryUndefinedRegisterReadsZeroAndHoldsNothing) {
  for (unsigned index = 0; index < 256; ++index) {
    if (index <= kArbitration || (index >= kRedirectionTable && index < kRedirectionTable + 2 * kPins))
      continue;
    set(index, 0xFFFFFFFF);
    EXPECT_EQ(get(static_cast<std::uint8_t>(index)), 0U) << index;
  }
}

TEST_F(IoApicTest, ReservedAndReadOnlyBitsStayZero) {
  set(kId, 0xFFFFFFFF);
  EXPECT_EQ(get(kId), 0x0F000000U);
  set(kVersion, 0xFFFFFFFF);
  EXPECT_EQ(get(kVersion), 0x00170011U);
  program(3, ~0ULL);
  EXPECT_EQ(get(kRedirectionTable + 6), 0x1AFFFU);
  EXPECT_EQ(get(kRedirectionTable + 7), 0xFFFE0000U);
}

TEST_F(IoApicTest, TurnsARisingPinIntoAnEdgeMessage) {
  program(4, 0x0200000000000034);
  io_apic.pin(4).set(true);
  io_apic.pin(4).set(true);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0], (MsiMessage{0xFEE02000, 0x4034}));
  io_apic.pin(4).set(false);
  io_apic.pin(4).set(true);
  EXPECT_EQ(sent.size(), 2U);
}

TEST_F(IoApicTest, SendsLogicalAndExtendedDestinations) {
  program(1, 0x0106000000000931);  // lowest priority, logical, destination 1, extended bits 3
  io_apic.pin(1).set(true);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0], (MsiMessage{0xFEE01064, 0x4131}));
}

TEST_F(IoApicTest, SendsNothingWhileMasked) {
  program(4, 0x10034);
  io_apic.pin(4).set(true);
  program(4, 0x00034);
  EXPECT_TRUE(sent.empty());
}

TEST_F(IoApicTest, SendsALevelPinAgainWhenUnmasked) {
  program(9, 0x18039);
  io_apic.pin(9).set(true);
  EXPECT_TRUE(sent.empty());
  program(9, 0x08039);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0], (MsiMessage{0xFEE00000, 0x4039}));
}

TEST_F(IoApicTest, IgnoresAccessesThatAreNot32Bit) {
  test::write_as<std::uint8_t>(io_apic, kSelect, kVersion);
  EXPECT_EQ(test::read_as<std::uint64_t>(io_apic, kWindow), 0U);
  EXPECT_EQ(test::read_as<std::uint32_t>(io_apic, 0x20), 0U);
  EXPECT_EQ(test::read_as<std::uint32_t>(io_apic, kSelect), 0U);
}

}  // namespace
}  // namespace virttdx
