// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_hob.h"

#include <gtest/gtest.h>

#include <vector>

#include "gpa_range.h"
#include "support/byte_order.h"

namespace virttdx {
namespace {

const GpaRange kHobMemory = *GpaRange::create({0x809000}, 0x2000);
constexpr std::uint32_t kSystemMemory = 0;
constexpr std::uint32_t kUnaccepted = 7;

struct Resource {
  std::uint32_t type;
  std::uint64_t start;
  std::uint64_t length;
  bool operator==(const Resource&) const = default;
};

/// Walks the list as firmware does, by each HOB's own length.
std::vector<Resource> resources(std::span<const std::byte> hob) {
  std::vector<Resource> found;
  for (std::size_t at = 0; at + 8 <= hob.size(); at += load_le<std::uint16_t>(hob, at + 2))
    if (load_le<std::uint16_t>(hob, at) == 3)
      found.push_back({load_le<std::uint32_t>(hob, at + 24), load_le<std::uint64_t>(hob, at + 32),
                       load_le<std::uint64_t>(hob, at + 40)});
  return found;
}

TEST(TdHob, HasTheBytesOfThePiSpecification) {
  const GpaRange ram = test::range(0, 0x8000000);
  const auto hob = build_td_hob(kHobMemory, std::span(&ram, 1), {});
  ASSERT_TRUE(hob);
  ASSERT_EQ(hob->size(), 56U + 48U + 8U);
  std::vector<std::byte> expected(112);
  const auto put = [&](std::size_t at, std::initializer_list<int> values) {
    for (const int value : values) expected.at(at++) = static_cast<std::byte>(value);
  };
  put(0, {1, 0, 56, 0, 0, 0, 0, 0, 9});  // hand-off: type, length, reserved, version 9
  put(48, {0x70, 0x90, 0x80});           // end of list: 0x809000 + 112
  put(56, {3, 0, 48});                   // resource descriptor
  put(80, {7, 0, 0, 0, 7});              // unaccepted; present, initialized, tested
  put(96, {0, 0, 0, 8});                 // length 0x8000000
  put(104, {0xFF, 0xFF, 8});             // end of list
  EXPECT_EQ(*hob, expected);
}

TEST(TdHob, SplitsRamIntoAddedAndUnacceptedPiecesInOrder) {
  const std::vector ram = {test::range(0x100000000, 0x40000000), test::range(0, 0x80000000)};
  const std::vector added = {test::range(0xFFE20000, 0x1E0000), test::range(0x810000, 0x10000),
                             test::range(0x80B000, 0x2000), test::range(0x809000, 0x2000),
                             test::range(0x800000, 0x6000)};
  const auto hob = build_td_hob(kHobMemory, ram, added);
  ASSERT_TRUE(hob);
  EXPECT_EQ(resources(*hob), (std::vector<Resource>{{kUnaccepted, 0, 0x800000},
                                                    {kSystemMemory, 0x800000, 0x6000},
                                                    {kUnaccepted, 0x806000, 0x3000},
                                                    {kSystemMemory, 0x809000, 0x2000},
                                                    {kSystemMemory, 0x80B000, 0x2000},
                                                    {kUnaccepted, 0x80D000, 0x3000},
                                                    {kSystemMemory, 0x810000, 0x10000},
                                                    {kUnaccepted, 0x820000, 0x7F7E0000},
                                                    {kUnaccepted, 0x100000000, 0x40000000}}));
}

TEST(TdHob, HasNoEmptyPieceWhereAddedMemoryStartsOrEndsRam) {
  const GpaRange ram = test::range(0, 0x10000);
  const std::vector added = {test::range(0, 0x1000), test::range(0xF000, 0x1000)};
  const auto hob = build_td_hob(kHobMemory, std::span(&ram, 1), added);
  ASSERT_TRUE(hob);
  EXPECT_EQ(resources(*hob),
            (std::vector<Resource>{
                {kSystemMemory, 0, 0x1000}, {kUnaccepted, 0x1000, 0xE000}, {kSystemMemory, 0xF000, 0x1000}}));
}

TEST(TdHob, RefusesAListThatDoesNotFitItsSection) {
  std::vector<GpaRange> ram;
  for (std::uint64_t i = 0; i < 200; ++i) ram.push_back(test::range(i * 0x2000, 0x1000));
  const auto hob = build_td_hob(kHobMemory, ram, {});
  ASSERT_FALSE(hob);
  EXPECT_EQ(hob.error().code(), Error::Code::NoSpace);
}

}  // namespace
}  // namespace virttdx
