// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/layout.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

namespace virttdx {
namespace {

constexpr std::uint64_t kTwoMebibytes = 2ULL << 20;
constexpr std::uint64_t kFirmware = 2ULL << 20;

GpaRange range(std::uint64_t base, std::uint64_t end) { return *GpaRange::create({base}, end - base); }

TEST(Layout, KeepsRamBelowThePciHoleInOnePiece) {
  const auto layout = memory_layout(0xB0000000 - kTwoMebibytes, kFirmware);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->ram, (std::vector{range(0, 0xAFE00000)}));
  EXPECT_EQ(layout->pci_hole, range(0xAFE00000, 0xFEC00000));
}

TEST(Layout, SplitsRamAsQ35Does) {
  const auto layout = memory_layout(0xB0000000, kFirmware);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->ram, (std::vector{range(0, 0x80000000), range(0x100000000, 0x130000000)}));
}

TEST(Layout, LeavesTheAddressesBehindRamToPci) {
  EXPECT_EQ(memory_layout(0xB0000000, kFirmware)->pci_hole_64, range(0x140000000, 1ULL << 46));
}

TEST(Layout, EndsTheFirmwareAt4Gibibytes) {
  EXPECT_EQ(memory_layout(1ULL << 30, kFirmware)->firmware, range(0xFFE00000, 0x100000000));
}

TEST(Layout, RefusesSizesOutsideOfItsContract) {
  for (const std::uint64_t ram : std::initializer_list<std::uint64_t>{0, kTwoMebibytes, (1ULL << 30) + 4096,
                                                                      (16ULL << 40) + kTwoMebibytes})
    EXPECT_FALSE(memory_layout(ram, kFirmware)) << ram;
  for (const std::uint64_t firmware : std::initializer_list<std::uint64_t>{0, 4095, (16ULL << 20) + 4096})
    EXPECT_FALSE(memory_layout(1ULL << 30, firmware)) << firmware;
}

RC_GTEST_PROP(Layout, HoldsAllRamAndNeverOverlaps, ()) {
  const auto ram = *rc::gen::inRange<std::uint64_t>(32, (16ULL << 40) / kTwoMebibytes + 1) * kTwoMebibytes;
  const auto firmware = *rc::gen::inRange<std::uint64_t>(1, 4097) * kPageSize;
  const auto layout = memory_layout(ram, firmware);
  RC_ASSERT(layout.has_value());
  std::vector<GpaRange> all = layout->ram;
  const auto size = [](std::uint64_t sum, const GpaRange& part) { return sum + part.size(); };
  RC_ASSERT(std::accumulate(all.begin(), all.end(), std::uint64_t{0}, size) == ram);
  for (const GpaRange& other : {layout->pci_hole, layout->chipset, layout->firmware, layout->pci_hole_64})
    all.push_back(other);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) RC_ASSERT(!all[i].overlaps(all[j]));
}

TEST(Layout, SplitsRamAmongNodesAcrossThePciHole) {
  const auto layout = memory_layout(0x140000000, kFirmware);
  ASSERT_TRUE(layout);
  const std::uint64_t sizes[] = {0x40000000, 0x80000000, 0x80000000};
  const auto nodes = split_ram(*layout, sizes);
  EXPECT_EQ(nodes, (std::vector<std::vector<GpaRange>>{
                       {range(0, 0x40000000)},
                       {range(0x40000000, 0x80000000), range(0x100000000, 0x140000000)},
                       {range(0x140000000, 0x1C0000000)}}));
}

}  // namespace
}  // namespace virttdx
