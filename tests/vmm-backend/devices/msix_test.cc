// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/pci/msix.h"

#include <gtest/gtest.h>

#include "device_access.h"

namespace virttdx {
namespace {

using test::read_as;
using test::write_as;

struct MsixTest : testing::Test {
  void set_vector(unsigned vector, std::uint64_t address, std::uint32_t data, bool masked) {
    write_as<std::uint64_t>(msix, vector * 16U, address);
    write_as<std::uint32_t>(msix, vector * 16U + 8, data);
    write_as<std::uint32_t>(msix, vector * 16U + 12, masked ? 1 : 0);
  }
  std::uint64_t pending() { return read_as<std::uint64_t>(msix, msix.pending_offset()); }

  std::vector<MsiMessage> sent;
  Msix msix{3, [this](const MsiMessage& message) { sent.push_back(message); }};
};

TEST_F(MsixTest, EveryVectorIsMaskedAtReset) {
  for (unsigned vector = 0; vector < 3; ++vector)
    EXPECT_EQ(read_as<std::uint32_t>(msix, vector * 16U + 12), 1U) << vector;
}

TEST_F(MsixTest, SendsWhatTheTableSays) {
  set_vector(1, 0x1FEE01004, 0x31, false);
  msix.configure(true, false);
  msix.raise(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0], (MsiMessage{0x1FEE01004, 0x31}));
}

TEST_F(MsixTest, SendsNothingWhileDisabledOrWithoutSuchAVector) {
  set_vector(0, 0xFEE00000, 0x30, false);
  msix.raise(0);
  msix.configure(true, false);
  msix.raise(3);
  msix.raise(0xFFFF);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(pending(), 0U);
}

TEST_F(MsixTest, AMaskedVectorIsPendingUntilItsMaskGoes) {
  set_vector(2, 0xFEE00000, 0x32, true);
  msix.configure(true, false);
  msix.raise(2);
  msix.raise(2);
  EXPECT_EQ(pending(), 4U);
  EXPECT_TRUE(sent.empty());
  write_as<std::uint32_t>(msix, 2 * 16 + 12, 0);
  EXPECT_EQ(sent.size(), 1U);
  EXPECT_EQ(pending(), 0U);
}

TEST_F(MsixTest, TheFunctionMaskHoldsEveryVector) {
  set_vector(0, 0xFEE00000, 0x30, false);
  set_vector(1, 0xFEE00000, 0x31, true);
  msix.configure(true, true);
  msix.raise(0);
  msix.raise(1);
  EXPECT_EQ(pending(), 3U);
  msix.configure(true, false);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].data, 0x30U);
  EXPECT_EQ(pending(), 2U);
}

TEST_F(MsixTest, PendingBitsAreReadOnlyAndOddAccessesDoNothing) {
  write_as<std::uint64_t>(msix, msix.pending_offset(), ~0ULL);
  EXPECT_EQ(pending(), 0U);
  write_as<std::uint16_t>(msix, 0, 0xFFFF);
  write_as<std::uint32_t>(msix, 2, 0xFFFFFFFF);
  EXPECT_EQ(read_as<std::uint64_t>(msix, 0), 0U);
  EXPECT_EQ(read_as<std::uint16_t>(msix, 12), 0U);
}

TEST_F(MsixTest, TheTableEndsWithItsVectors) {
  write_as<std::uint32_t>(msix, 3 * 16, 0xFFFFFFFC);
  EXPECT_EQ(read_as<std::uint32_t>(msix, 3 * 16), 0U);
  EXPECT_EQ(msix.region_size(), 4096U);
  EXPECT_EQ(Msix(2048, [](const MsiMessage&) {}).region_size(), 65536U);
  EXPECT_EQ(Msix(129, [](const MsiMessage&) {}).pending_offset(), 4096U);
}

}  // namespace
}  // namespace virttdx
