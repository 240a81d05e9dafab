// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes as iasl 20200925 makes them of the ASL in the comments.
#include "firmware/acpi/aml.h"

#include <gtest/gtest.h>

namespace virttdx::aml {
namespace {

Bytes bytes(std::initializer_list<int> values) {
  Bytes all;
  for (const int value : values) all.push_back(static_cast<std::byte>(value));
  return all;
}

TEST(Aml, IntegersTakeTheShortestForm) {
  EXPECT_EQ(integer(0), bytes({0x00}));
  EXPECT_EQ(integer(1), bytes({0x01}));
  EXPECT_EQ(integer(0xFF), bytes({0x0A, 0xFF}));
  EXPECT_EQ(integer(0x100), bytes({0x0B, 0x00, 0x01}));
  EXPECT_EQ(integer(0x10000), bytes({0x0C, 0, 0, 1, 0}));
  EXPECT_EQ(integer(0x100000000), bytes({0x0E, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(Aml, PathsAreFilledUpAndPrefixed) {
  EXPECT_EQ(path("ISA"), bytes({'I', 'S', 'A', '_'}));
  EXPECT_EQ(path("\\_SB.PCI0"), bytes({'\\', 0x2E, '_', 'S', 'B', '_', 'P', 'C', 'I', '0'}));
  EXPECT_EQ(path("\\_SB.PCI0.ISA"),
            bytes({'\\', 0x2F, 3, '_', 'S', 'B', '_', 'P', 'C', 'I', '0', 'I', 'S', 'A', '_'}));
}

TEST(Aml, EisaIdIsPacked) {  // EisaId ("PNP0A08")
  EXPECT_EQ(eisa_id("PNP0A08"), bytes({0x0C, 0x41, 0xD0, 0x0A, 0x08}));
}

TEST(Aml, UuidHasItsFirstFieldsLittleEndian) {  // ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766")
  EXPECT_EQ(uuid("33db4d5b-1ff7-401c-9657-7441c03dd766"),
            bytes({0x11, 0x13, 0x0A, 0x10, 0x5B, 0x4D, 0xDB, 0x33, 0xF7, 0x1F,
                   0x1C, 0x40, 0x96, 0x57, 0x74, 0x41, 0xC0, 0x3D, 0xD7, 0x66}));
}

TEST(Aml, LengthsGrowByWholeBytes) {
  EXPECT_EQ(buffer(Bytes(60)).size(), 1U + 1 + 2 + 60);
  EXPECT_EQ(buffer(Bytes(61)).size(), 1U + 2 + 2 + 61);
  EXPECT_EQ(buffer(Bytes(4090)).size(), 1U + 2 + 3 + 4090);
  EXPECT_EQ(buffer(Bytes(4091)).size(), 1U + 3 + 3 + 4091);
  EXPECT_EQ(buffer(Bytes(0x123456)).size(), 1U + 4 + 5 + 0x123456);
}

}  // namespace
}  // namespace virttdx::aml
