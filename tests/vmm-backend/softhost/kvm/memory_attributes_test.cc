// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/memory_attributes.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace virttdx::softhost {
namespace {

GpaRange pages(std::uint64_t first, std::uint64_t count) {
  return *GpaRange::create({first * kPageSize}, count * kPageSize);
}

TEST(MemoryAttributes, ReportWhatWasPrivateUntilNow) {
  MemoryAttributes attributes;
  attributes.set_private(pages(2, 2));
  attributes.set_private(pages(6, 2));
  const auto removed = attributes.set_shared(pages(3, 4));
  ASSERT_EQ(removed.size(), 2U);
  EXPECT_EQ(removed[0], pages(3, 1));
  EXPECT_EQ(removed[1], pages(6, 1));
}

TEST(MemoryAttributes, JoinNeighbours) {
  MemoryAttributes attributes;
  attributes.set_private(pages(0, 4));
  attributes.set_private(pages(8, 4));
  attributes.set_private(pages(4, 4));
  EXPECT_TRUE(attributes.is_all_private(pages(0, 12)));
  EXPECT_FALSE(attributes.is_all_private(pages(0, 13)));
}

TEST(MemoryAttributes, AgreeWithASetOfPages) {
  MemoryAttributes attributes;
  std::set<std::uint64_t> expected;
  std::mt19937 random(1);
  for (int step = 0; step < 2000; ++step) {
    const std::uint64_t first = random() % 40;
    const std::uint64_t count = 1 + random() % 10;
    const bool make_private = random() % 2 == 0;
    if (make_private) {
      attributes.set_private(pages(first, count));
      for (std::uint64_t page = first; page < first + count; ++page) expected.insert(page);
    } else {
      std::set<std::uint64_t> removed;
      for (const auto& range : attributes.set_shared(pages(first, count)))
        for (std::uint64_t gpa = range.base().value; gpa < range.end().value; gpa += kPageSize)
          removed.insert(gpa / kPageSize);
      std::set<std::uint64_t> expected_removed;
      for (std::uint64_t page = first; page < first + count; ++page)
        if (expected.erase(page) != 0) expected_removed.insert(page);
      ASSERT_EQ(removed, expected_removed);
    }
    for (std::uint64_t page = 0; page < 60; ++page)
      ASSERT_EQ(attributes.is_private(page * kPageSize), expected.contains(page)) << page;
  }
}

}  // namespace
}  // namespace virttdx::softhost
