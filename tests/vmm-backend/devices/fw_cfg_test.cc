// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/fw_cfg/fw_cfg.h"

#include <gtest/gtest.h>

#include "device_access.h"
#include "devices/fw_cfg/fw_cfg_spec.h"

namespace virttdx {
namespace {

using namespace fw_cfg_spec;

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

struct FwCfgTest : testing::Test {
  test::FlatMemory memory{0x10000};
  std::vector<std::byte> view = bytes_of("content elsewhere");
  FwCfg device{FwCfgItems{{kSignature, bytes_of("QEMU")}, {0x20, bytes_of("content of a file")}},
               FwCfgViews{{0x21, view}}, memory};

  std::string take(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(test::in8(device, kData));
    return text;
  }
  void select(std::uint16_t key) { test::write_as<std::uint16_t>(device, kSelector, key); }
  /// Puts a descriptor at `at` and starts it; what the device left in the control field.
  std::uint32_t run(std::uint64_t at, std::uint32_t control, std::uint32_t length, std::uint64_t address) {
    const bool inside = at < memory.bytes.size() && memory.bytes.size() - at >= kDescriptorSize;
    if (inside) {
      store_le(std::span(memory.bytes), at, __builtin_bswap32(control));
      store_le(std::span(memory.bytes), at + 4, __builtin_bswap32(length));
      store_le(std::span(memory.bytes), at + 8, __builtin_bswap64(address));
    }
    test::write_as<std::uint32_t>(device, kDmaAddress,
                                  __builtin_bswap32(static_cast<std::uint32_t>(at >> 32)));
    test::write_as<std::uint32_t>(device, kDmaAddress + 4, __builtin_bswap32(static_cast<std::uint32_t>(at)));
    return inside ? __builtin_bswap32(load_le<std::uint32_t>(memory.bytes, at)) : 0;
  }
  std::string text_at(std::size_t at, std::size_t size) {
    return {reinterpret_cast<const char*>(memory.bytes.data()) + at, size};
  }
};

TEST_F(FwCfgTest, HandsOutContentThatLivesElsewhere) {
  select(0x21);
  EXPECT_EQ(take(17), "content elsewhere");
  EXPECT_EQ(take(1), std::string(1, '\0'));
}

TEST_F(FwCfgTest, GivesAnItemByteByByteThenZeros) {
  select(kSignature);
  EXPECT_EQ(take(6), std::string("QEMU\0\0", 6));
  select(kSignature);
  EXPECT_EQ(take(1), "Q");
}

TEST_F(FwCfgTest, EveryAbsentKeyReadsZero) {
  for (unsigned key = 0x22; key <= kKeyMask; ++key) {
    select(static_cast<std::uint16_t>(key));
    EXPECT_EQ(test::in8(device, kData), 0) << key;
  }
}

TEST_F(FwCfgTest, DmaAddressReadsAsItsSignature) {
  EXPECT_EQ(test::read_as<std::uint32_t>(device, kDmaAddress), 0x554D4551U);      // "QEMU"
  EXPECT_EQ(test::read_as<std::uint32_t>(device, kDmaAddress + 4), 0x47464320U);  // " CFG"
}

TEST_F(FwCfgTest, DmaSelectsAndReads) {
  EXPECT_EQ(run(0x1000, 0x20U << 16 | kDmaSelect | kDmaRead, 7, 0x2000), 0U);
  EXPECT_EQ(text_at(0x2000, 8), std::string("content\0", 8));
  EXPECT_EQ(run(0x1000, kDmaSkip, 4, 0), 0U);
  EXPECT_EQ(run(0x1000, kDmaRead, 8, 0x2000), 0U);
  EXPECT_EQ(text_at(0x2000, 8), std::string("a file\0\0", 8));
}

TEST_F(FwCfgTest, DmaReadsZerosBehindTheEnd) {
  std::fill(memory.bytes.begin() + 0x2000, memory.bytes.begin() + 0x5000, std::byte{0xFF});
  EXPECT_EQ(run(0x1000, 0x20U << 16 | kDmaSelect | kDmaRead, 0x2800, 0x2000), 0U);
  EXPECT_EQ(memory.bytes[0x2011], std::byte{0});
  EXPECT_EQ(memory.bytes[0x47FF], std::byte{0});
  EXPECT_EQ(memory.bytes[0x4800], std::byte{0xFF});
}

TEST_F(FwCfgTest, DmaOutsideMemoryAnswersWithTheErrorBit) {
  constexpr std::uint32_t kReadFile = 0x20U << 16 | kDmaSelect | kDmaRead;
  EXPECT_EQ(run(0x1000, kReadFile, 17, 0xFFF8), kDmaError);
  EXPECT_EQ(run(0x1000, kReadFile, 17, 0x10000), kDmaError);
  EXPECT_EQ(run(0x1000, kReadFile, 17, ~0ULL), kDmaError);
  EXPECT_EQ(run(0x1000, kReadFile, 0x2000, ~0ULL - 0x1000), kDmaError);
  EXPECT_EQ(run(0x1000, kReadFile, 0xFFFFFFFF, 0x8000), kDmaError);
}

TEST_F(FwCfgTest, DmaDescriptorOutsideMemoryIsIgnored) {
  const auto before = memory.bytes;
  run(0xFFF8 + kDescriptorSize, kDmaRead, 4, 0);
  run(~0ULL, kDmaRead, 4, 0);
  run(0xFFFFFFFF00000000, kDmaRead, 4, 0);
  EXPECT_EQ(memory.bytes, before);
}

TEST_F(FwCfgTest, DmaWriteAnswersWithTheErrorBit) {
  EXPECT_EQ(run(0x1000, 0x20U << 16 | kDmaSelect | kDmaWrite, 4, 0x2000), kDmaError);
}

TEST_F(FwCfgTest, SkippingFarBeyondTheEndReadsZeros) {
  select(0x20);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(run(0x1000, kDmaSkip, 0xFFFFFFFF, 0), 0U);
  EXPECT_EQ(test::in8(device, kData), 0);
}

}  // namespace
}  // namespace virttdx
