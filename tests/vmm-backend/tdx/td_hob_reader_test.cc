// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/td_hob_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "gpa_range.h"
#include "support/byte_order.h"
#include "tdx/td_hob.h"

namespace virttdx {
namespace {

using testing::HasSubstr;
using enum TdHobResourceType;

constexpr std::size_t kFirstResource = 56, kSecondResource = 104;

/// Hand-off, 0 to 0x800000 unaccepted, 0x6000 of system memory, end of list: field offsets above.
class List {
 public:
  List() {
    const GpaRange ram = test::range(0, 0x806000), added = test::range(0x800000, 0x6000);
    bytes_ = *build_td_hob(test::range(0x809000, 0x2000), std::span(&ram, 1), std::span(&added, 1));
  }
  template <typename T>
  List& set(std::size_t offset, T value) {
    store_le(std::span(bytes_), offset, value);
    return *this;
  }
  /// Puts a block of zeros before the end-of-list block.
  List& insert(std::uint16_t type, std::uint16_t size) {
    const auto at = bytes_.size() - 8;
    bytes_.insert(bytes_.end() - 8, size, std::byte{0});
    return set(at, type).set(at + 2, size);
  }
  List& cut(std::size_t size) {
    bytes_.resize(size);
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::string refusal() const {
    const auto hob = parse_td_hob(bytes_);
    if (hob) return "";
    EXPECT_EQ(hob.error().code(), Error::Code::InvalidData);
    return hob.error().message();
  }

 private:
  std::vector<std::byte> bytes_;
};

TEST(TdHobReader, ReadsWhatTheLaunchBuilds) {
  const auto hob = parse_td_hob(List().bytes());
  ASSERT_TRUE(hob) << hob.error().message();
  EXPECT_EQ(hob->resources, (std::vector<TdHobResource>{{UnacceptedMemory, 7, test::range(0, 0x800000)},
                                                        {SystemMemory, 7, test::range(0x800000, 0x6000)}}));
  EXPECT_EQ(hob->size, 160U);
  EXPECT_EQ(hob->end_of_list.value, 0x809000U + hob->size);
  EXPECT_TRUE(hob->other_blocks.empty());
}

TEST(TdHobReader, IgnoresWhatFollowsTheList) {
  const List list;
  std::vector bytes(list.bytes().begin(), list.bytes().end());
  bytes.resize(0x2000, std::byte{0xAA});
  const auto hob = parse_td_hob(bytes);
  ASSERT_TRUE(hob);
  EXPECT_EQ(hob->size, 160U);
  EXPECT_EQ(*td_hob_digest(bytes), *td_hob_digest(list.bytes()));
}

TEST(TdHobReader, TakesTheBlocksOfOtherMonitors) {
  const auto hob = parse_td_hob(List().insert(4, 64).insert(6, 16).insert(9, 56).insert(12, 64).bytes());
  ASSERT_TRUE(hob) << hob.error().message();
  EXPECT_EQ(hob->other_blocks,
            (std::vector<TdHobBlock>{
                {"GUID extension", 64}, {"CPU", 16}, {"firmware volume 2", 56}, {"firmware volume 3", 64}}));
}

TEST(TdHobReader, RefusesAListWithoutEnd) {
  EXPECT_THAT(List().cut(152).refusal(), HasSubstr("block 3 at 0x98: 0 bytes are left for a header of 8"));
  EXPECT_THAT(List().cut(155).refusal(), HasSubstr("3 bytes are left"));
  EXPECT_THAT(List().cut(0).refusal(), HasSubstr("block 0 at 0x0: 0 bytes are left"));
}

TEST(TdHobReader, RefusesLengthsThatDoNotFit) {
  for (const auto length : std::initializer_list<std::uint16_t>{0, 4, 7, 49, 0xFFF8})
    EXPECT_THAT(List().set(kFirstResource + 2, length).refusal(),
                HasSubstr(fmt::format("block 1 at 0x38: HobLength is {};", length)));
  EXPECT_THAT(List().set<std::uint16_t>(kFirstResource + 2, 40).refusal(),
              HasSubstr("a resource descriptor block has 48 bytes, this one 40"));
  EXPECT_THAT(List().insert(6, 24).refusal(), HasSubstr("a CPU block has 16 bytes, this one 24"));
}

TEST(TdHobReader, RefusesReservedAndUnknownValues) {
  EXPECT_THAT(List().set<std::uint32_t>(4, 1).refusal(), HasSubstr("block 0 at 0x0: Reserved is 0x1"));
  EXPECT_THAT(List().insert(2, 48).refusal(), HasSubstr("HobType 0x2 is none that a TDVF takes"));
  EXPECT_THAT(List().set<std::uint32_t>(8, 8).refusal(), HasSubstr("Version is 8 instead of 9"));
  EXPECT_THAT(List().set<std::uint32_t>(12, 8).refusal(), HasSubstr("BootMode 0x8 is not defined"));
  EXPECT_THAT(List().set<std::uint64_t>(32, 0x1234).refusal(), HasSubstr("EfiFreeMemoryTop 0x1234"));
  EXPECT_THAT(List().set<std::uint32_t>(kFirstResource + 24, 8).refusal(), HasSubstr("ResourceType 0x8"));
  EXPECT_THAT(List().set<std::uint32_t>(kFirstResource + 28, 0x10000000).refusal(),
              HasSubstr("ResourceAttribute 0x10000000"));
}

TEST(TdHobReader, WantsOneHandOffBlockAndThatFirst) {
  EXPECT_THAT(List().insert(1, 56).refusal(),
              HasSubstr("block 3 at 0x98: a hand-off block: the first block"));
  EXPECT_THAT(List().set<std::uint16_t>(0, 0xC).set<std::uint16_t>(2, 64).refusal(), HasSubstr("block 0"));
}

TEST(TdHobReader, RefusesRangesThatWrapOverlapOrSplitAPage) {
  EXPECT_THAT(List().set(kSecondResource + 40, ~std::uint64_t{0}).refusal(),
              HasSubstr("goes beyond 64 bits"));
  EXPECT_THAT(List().set<std::uint64_t>(kSecondResource + 32, 0x7FF000).refusal(),
              HasSubstr("the resource of 0x800000 bytes at 0x0 overlaps that of 0x6000 bytes at 0x7ff000"));
  EXPECT_THAT(List().set<std::uint64_t>(kFirstResource + 40, 0x1800).refusal(),
              HasSubstr("unaccepted memory of 0x1800 bytes at 0x0 is not whole pages"));
}

TEST(TdHobReader, LetsPortsHaveTheNumbersOfMemory) {
  EXPECT_EQ(List()
                .set<std::uint32_t>(kSecondResource + 24, 2)
                .set<std::uint64_t>(kSecondResource + 32, 0)
                .refusal(),
            "");
}

RC_GTEST_PROP(TdHobReader, ReadsEveryListThatCanBeBuilt, ()) {
  const auto sizes =
      *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 0x10000));
  std::vector<GpaRange> ram;
  std::uint64_t position = 0, total = 0;
  for (const auto pages : sizes) {
    ram.push_back(test::range(position, pages * kPageSize));
    position = ram.back().end().value + kPageSize;
    total += ram.back().size();
  }
  const auto list = build_td_hob(test::range(0x809000, 0x10000), ram, {});
  RC_PRE(list.has_value());
  const auto hob = parse_td_hob(*list);
  RC_ASSERT(hob.has_value());
  RC_ASSERT(hob->size == list->size());
  for (const auto& resource : hob->resources) total -= resource.range.size();
  RC_ASSERT(total == 0U);
}

}  // namespace
}  // namespace virttdx
