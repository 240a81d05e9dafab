// SPDX-License-Identifier: GPL-2.0-or-later
// The walk against tables made by hand (SDM volume 3, chapter 4).
#include "softhost/cpu/guest_page_walk.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kWp = 1 << 16, kPg = 1ULL << 31;
constexpr std::uint64_t kPse = 1 << 4, kPae = 1 << 5, kLa57 = 1 << 12, kSmep = 1 << 20, kSmap = 1 << 21;
constexpr std::uint64_t kLongMode = 0x500, kNxe = 1 << 11;
constexpr std::uint64_t kTable = 0x7, kUserPage = 0x7, kSupervisorPage = 0x3, kReadOnlyPage = 0x1;
constexpr std::uint64_t kNoExecute = 1ULL << 63;

class GuestPageWalk : public testing::Test, public PageSource {
 protected:
  PageAnswer page(std::uint64_t gpa, AccessKind) override {
    if (gpa >> 47 != 0) return {.kind = PageAnswer::Kind::Rsvd};
    if (gpa >= memory_.size()) return {.kind = PageAnswer::Kind::Ve};
    return {.kind = PageAnswer::Kind::Memory, .host = memory_.data() + gpa};
  }
  template <typename T>
  void put(std::uint64_t gpa, T value) {
    std::memcpy(memory_.data() + gpa, &value, sizeof(value));
  }
  std::uint64_t entry(std::uint64_t gpa) const {
    std::uint64_t value = 0;
    std::memcpy(&value, memory_.data() + gpa, sizeof(value));
    return value;
  }
  /// Four levels from 0x1000 that map linear 0x5000 by `leaf`.
  PagingState four_levels(std::uint64_t leaf, std::uint64_t more_cr4 = 0) {
    put<std::uint64_t>(0x1000, 0x2000 | kTable);
    put<std::uint64_t>(0x2000, 0x3000 | kTable);
    put<std::uint64_t>(0x3000, 0x4000 | kTable);
    put<std::uint64_t>(0x4028, leaf);
    return {.cr0 = kPg | kWp | 1, .cr3 = 0x1000, .cr4 = kPae | more_cr4, .efer = kLongMode | kNxe};
  }
  Translation walk(const PagingState& state, AccessKind access, std::uint64_t linear = 0x5123) {
    return translate(state, linear, access, *this);
  }
  std::uint32_t error(const PagingState& state, AccessKind access, std::uint64_t linear = 0x5123) {
    const Translation translation = walk(state, access, linear);
    EXPECT_EQ(translation.kind, Translation::Kind::PageFault);
    return translation.error_code;
  }

  std::vector<std::byte> memory_ = std::vector<std::byte>(0x20000);
};

TEST_F(GuestPageWalk, WithoutPagingLinearIsPhysical) {
  const Translation translation = walk({.cr0 = 1}, AccessKind::Write);
  EXPECT_EQ(translation.gpa, 0x5123U);
  EXPECT_TRUE(translation.writable && translation.executable);
}

TEST_F(GuestPageWalk, FourLevelsSetAccessedAndDirty) {
  const PagingState state = four_levels(0x8000 | kSupervisorPage);
  const Translation read = walk(state, AccessKind::Read);
  EXPECT_EQ(read.gpa, 0x8123U);
  EXPECT_FALSE(read.writable) << "the dirty bit is not set yet";
  EXPECT_EQ(entry(0x4028), 0x8000 | kSupervisorPage | 0x20);
  EXPECT_EQ(entry(0x1000), 0x2000 | kTable | 0x20);
  EXPECT_TRUE(walk(state, AccessKind::Write).writable);
  EXPECT_EQ(entry(0x4028), 0x8000 | kSupervisorPage | 0x60);
}

TEST_F(GuestPageWalk, FiveLevelsStartOneTableHigher) {
  PagingState state = four_levels(0x8000 | kSupervisorPage, kLa57);
  put<std::uint64_t>(0x6000 + 3 * 8, 0x1000 | kTable);
  state.cr3 = 0x6000;
  EXPECT_EQ(walk(state, AccessKind::Read, (3ULL << 48) | 0x5123).gpa, 0x8123U);
}

TEST_F(GuestPageWalk, PaeHasFourTopEntriesWithoutRights) {
  put<std::uint64_t>(0x1020 + 3 * 8, 0x2001);
  put<std::uint64_t>(0x2000, 0x3000 | kTable);
  put<std::uint64_t>(0x3028, 0x8000 | kSupervisorPage);
  const PagingState state{.cr0 = kPg | kWp | 1, .cr3 = 0x1020, .cr4 = kPae};
  const Translation translation = walk(state, AccessKind::Write, 0xc0005123);
  EXPECT_EQ(translation.gpa, 0x8123U);
  EXPECT_TRUE(translation.writable);
}

TEST_F(GuestPageWalk, ThirtyTwoBitTablesMap4KiBAnd4MiB) {
  put<std::uint32_t>(0x1000, 0x2000 | kTable);
  put<std::uint32_t>(0x2000 + 5 * 4, 0x8000 | kSupervisorPage);
  put<std::uint32_t>(0x1004, 0x83);
  const PagingState state{.cr0 = kPg | kWp | 1, .cr3 = 0x1000, .cr4 = kPse};
  EXPECT_EQ(walk(state, AccessKind::Read).gpa, 0x8123U);
  EXPECT_EQ(walk(state, AccessKind::Read, 0x400123).gpa, 0x123U);
}

TEST_F(GuestPageWalk, LargePagesKeepTheOffset) {
  const PagingState state = four_levels(0);
  put<std::uint64_t>(0x3000, 0x83);
  EXPECT_EQ(walk(state, AccessKind::Read, 0x1f123).gpa, 0x1f123U);
  put<std::uint64_t>(0x2000, 0x83);
  EXPECT_EQ(walk(state, AccessKind::Read, 0x1f123).gpa, 0x1f123U);
}

TEST_F(GuestPageWalk, NotPresentTellsAccessAndPrivilege) {
  PagingState state = four_levels(0);
  EXPECT_EQ(error(state, AccessKind::Read), 0U);
  EXPECT_EQ(error(state, AccessKind::Write), page_fault::kWrite);
  EXPECT_EQ(error(state, AccessKind::Execute), page_fault::kFetch);
  state.user = true;
  EXPECT_EQ(error(state, AccessKind::Read), page_fault::kUser);
}

TEST_F(GuestPageWalk, ReadOnlyPagesBindSupervisorsOnlyWithWp) {
  PagingState state = four_levels(0x8000 | kReadOnlyPage);
  EXPECT_EQ(error(state, AccessKind::Write), page_fault::kPresent | page_fault::kWrite);
  state.cr0 &= ~kWp;
  EXPECT_EQ(walk(state, AccessKind::Write).kind, Translation::Kind::Page);
}

TEST_F(GuestPageWalk, SupervisorPagesAreClosedToUsers) {
  PagingState state = four_levels(0x8000 | kSupervisorPage);
  state.user = true;
  EXPECT_EQ(error(state, AccessKind::Read), page_fault::kPresent | page_fault::kUser);
}

TEST_F(GuestPageWalk, SmepAndSmapCloseUserPagesToSupervisors) {
  PagingState state = four_levels(0x8000 | kUserPage, kSmep | kSmap);
  EXPECT_EQ(error(state, AccessKind::Execute), page_fault::kPresent | page_fault::kFetch);
  EXPECT_EQ(error(state, AccessKind::Read), page_fault::kPresent);
  state.alignment_check = true;
  EXPECT_EQ(walk(state, AccessKind::Read).kind, Translation::Kind::Page);
}

TEST_F(GuestPageWalk, NoExecuteIsReservedUnlessEnabled) {
  PagingState state = four_levels(0x8000 | kSupervisorPage | kNoExecute);
  EXPECT_EQ(error(state, AccessKind::Execute), page_fault::kPresent | page_fault::kFetch);
  EXPECT_EQ(walk(state, AccessKind::Read).kind, Translation::Kind::Page);
  state.efer = kLongMode;
  EXPECT_EQ(error(state, AccessKind::Read), page_fault::kPresent | page_fault::kReserved);
}

TEST_F(GuestPageWalk, AddressesAboveTheSharedBitAreReserved) {
  const PagingState state = four_levels((1ULL << 48) | kSupervisorPage);
  EXPECT_EQ(error(state, AccessKind::Read), page_fault::kPresent | page_fault::kReserved);
}

TEST_F(GuestPageWalk, WithoutMemoryTheAnswerIsPassedOn) {
  const Translation translation = walk(four_levels(0x40000 | kSupervisorPage), AccessKind::Read);
  EXPECT_EQ(translation.kind, Translation::Kind::NoMemory);
  EXPECT_EQ(translation.answer.kind, PageAnswer::Kind::Ve);
  EXPECT_EQ(translation.gpa, 0x40123U);
  EXPECT_FALSE(translation.of_page_table);
}

TEST_F(GuestPageWalk, NotCanonicalAddressesAreNoPageFaults) {
  EXPECT_EQ(walk(four_levels(0), AccessKind::Read, 1ULL << 47).kind, Translation::Kind::NotCanonical);
}

}  // namespace
}  // namespace virttdx::softhost
