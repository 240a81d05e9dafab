// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_cpuid.h"

#include <gtest/gtest.h>

namespace virttdx {
namespace {

const CpuidEntries kFirst = {{.function = 1, .ebx = 0x00100800, .ecx = 1U << 31},
                             {.function = 7, .ebx = 0x2},
                             {.function = 0xB, .index = 1, .index_significant = true, .ebx = 2},
                             {.function = 0x1F, .index = 1, .index_significant = true, .ebx = 2}};

TEST(DeviatingLeaves, AreNoneWhereOnlyTheApicIdDiffers) {
  EXPECT_TRUE(deviating_leaves(kFirst, kFirst).empty());
  EXPECT_TRUE(deviating_leaves(kFirst, cpuid_of_vcpu(kFirst, 3)).empty());
}

TEST(DeviatingLeaves, AreThoseWithAnotherBitAndThoseThatTheFirstLacks) {
  auto other = cpuid_of_vcpu(kFirst, 3);
  other[0].ecx |= 1U << 5;
  other[2].ebx = 4;
  other.push_back({.function = 0x20});
  EXPECT_EQ(deviating_leaves(kFirst, other), (CpuidEntries{other[0], other[2], other[4]}));
}

}  // namespace
}  // namespace virttdx
