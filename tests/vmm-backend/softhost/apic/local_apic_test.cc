// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/apic/local_apic.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "softhost/apic/apic_bus.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint32_t kTpr = 0x808, kPpr = 0x80A, kEoi = 0x80B, kSvr = 0x80F, kEsr = 0x828, kIcr = 0x830,
                        kLvtTimer = 0x832, kInitial = 0x838, kCurrent = 0x839, kDivide = 0x83E, kSelf = 0x83F;
constexpr std::uint64_t kBusCycle = 40;  // a TD's APIC runs at 25 MHz
constexpr std::uint64_t kPeriodic = 1U << 17, kTscDeadline = 2U << 17, kMasked = 1U << 16;

class LocalApicTest : public testing::Test {
 protected:
  void SetUp() override { write(kSvr, 0x1FF); }
  void write(std::uint32_t index, std::uint64_t value) {
    EXPECT_TRUE(apic_.write(index, value, now_)) << std::hex << index;
  }
  std::uint64_t read(std::uint32_t index) const { return apic_.read(index, now_).value(); }
  void advance(std::uint64_t ns) {
    now_ += ns;
    apic_.advance(now_);
  }
  // Takes the pending interrupt as a CPU would.
  std::optional<unsigned> take() {
    const auto vector = apic_.pending();
    if (vector) apic_.acknowledge(*vector);
    return vector;
  }

  ApicBus bus_;
  LocalApic apic_{bus_, 0x13, kBusCycle};
  std::uint64_t now_ = 1'000'000;
};

TEST_F(LocalApicTest, IdentifiesItself) {
  EXPECT_EQ(read(0x802), 0x13U);
  EXPECT_EQ(read(0x803), 0x60014U);
  EXPECT_EQ(read(0x80D), 0x00010008U) << "cluster 1, bit 3";
}

TEST_F(LocalApicTest, StartsDisabledWithEveryEntryMasked) {
  LocalApic fresh(bus_, 1, kBusCycle);
  EXPECT_EQ(fresh.read(kSvr, 0), 0xFFU);
  for (const std::uint32_t entry : {0x82FU, 0x832U, 0x833U, 0x834U, 0x835U, 0x836U, 0x837U})
    EXPECT_EQ(fresh.read(entry, 0), kMasked);
  fresh.inject(0x40);
  EXPECT_FALSE(fresh.pending());
  EXPECT_TRUE(fresh.write(kLvtTimer, 0x30, 0));
  EXPECT_EQ(fresh.read(kLvtTimer, 0), kMasked | 0x30) << "stays masked while disabled";
}

TEST_F(LocalApicTest, RefusesUnknownRegistersAndReservedBits) {
  for (const std::uint32_t index :
       {0x800U, 0x804U, 0x809U, 0x80CU, 0x80EU, 0x829U, 0x831U, 0x83AU, 0x80BU, 0x83FU})
    EXPECT_FALSE(apic_.read(index, now_)) << std::hex << index;
  for (const std::uint32_t index : {0x802U, 0x803U, 0x80AU, 0x80DU, 0x810U, 0x820U, 0x839U})
    EXPECT_FALSE(apic_.write(index, 0, now_)) << std::hex << index;
  EXPECT_FALSE(apic_.write(kTpr, 0x100, now_));
  EXPECT_FALSE(apic_.write(kEoi, 1, now_));
  EXPECT_FALSE(apic_.write(kSelf, 0x100, now_));
  EXPECT_FALSE(apic_.write(kInitial, 1ULL << 32, now_));
  EXPECT_FALSE(apic_.write(kLvtTimer, 1U << 20, now_));
  EXPECT_FALSE(apic_.write(kIcr, 1U << 13, now_));
}

TEST_F(LocalApicTest, DeliversTheHighestVectorFirst) {
  apic_.inject(0x31);
  apic_.inject(0x82);
  apic_.inject(0x45);
  EXPECT_EQ(take(), 0x82U);
  EXPECT_FALSE(apic_.pending()) << "lower classes wait for EOI";
  write(kEoi, 0);
  EXPECT_EQ(take(), 0x45U);
  write(kEoi, 0);
  EXPECT_EQ(take(), 0x31U);
  write(kEoi, 0);
  EXPECT_FALSE(apic_.pending());
}

TEST_F(LocalApicTest, NestsHigherClassesOnly) {
  apic_.inject(0x50);
  EXPECT_EQ(take(), 0x50U);
  apic_.inject(0x5F);
  EXPECT_FALSE(apic_.pending()) << "same class";
  apic_.inject(0x60);
  EXPECT_EQ(take(), 0x60U);
  EXPECT_EQ(read(kPpr), 0x60U);
  write(kEoi, 0);
  EXPECT_EQ(read(kPpr), 0x50U);
  write(kEoi, 0);
  EXPECT_EQ(take(), 0x5FU);
}

TEST_F(LocalApicTest, TaskPriorityHoldsInterruptsBack) {
  write(kTpr, 0x55);
  apic_.inject(0x5F);
  EXPECT_FALSE(apic_.pending());
  EXPECT_EQ(read(kPpr), 0x55U);
  write(kTpr, 0x40);
  EXPECT_EQ(apic_.pending(), 0x5F);
}

TEST_F(LocalApicTest, ShowsRequestAndServiceRegisters) {
  apic_.inject(0x41);
  EXPECT_EQ(read(0x822), 1U << 1);
  take();
  EXPECT_EQ(read(0x822), 0U);
  EXPECT_EQ(read(0x812), 1U << 1);
  EXPECT_EQ(read(0x81A), 0U) << "TMR";
}

TEST_F(LocalApicTest, SelfIpiIsAnInterrupt) {
  write(kSelf, 0x99);
  EXPECT_EQ(take(), 0x99U);
}

TEST_F(LocalApicTest, IllegalVectorsSetTheErrorStatus) {
  apic_.inject(15);
  EXPECT_FALSE(apic_.pending());
  EXPECT_EQ(read(kEsr), 0U) << "until ESR is written";
  write(kEsr, 0);
  EXPECT_EQ(read(kEsr), 0x40U);
  write(kIcr, 0x40005);
  write(kEsr, 0);
  EXPECT_EQ(read(kEsr), 0x20U);
  EXPECT_FALSE(apic_.write(kEsr, 1, now_));
}

TEST_F(LocalApicTest, NmisAreMerged) {
  EXPECT_FALSE(apic_.take_nmi());
  apic_.inject_nmi();
  apic_.inject_nmi();
  EXPECT_TRUE(apic_.take_nmi());
  EXPECT_FALSE(apic_.take_nmi());
}

TEST_F(LocalApicTest, WakesItsOwnerForEveryArrival) {
  int woken = 0;
  apic_.set_wake([&woken] { ++woken; });
  apic_.inject(0x40);
  apic_.inject_nmi();
  write(kSelf, 0x41);
  EXPECT_EQ(woken, 3);
}

TEST_F(LocalApicTest, OneShotTimerFiresOnce) {
  write(kDivide, 0xB);  // by 1
  write(kLvtTimer, 0x30);
  write(kInitial, 1000);
  EXPECT_EQ(apic_.next_deadline(), now_ + 40'000);
  advance(39'999);
  EXPECT_FALSE(apic_.pending());
  advance(1);
  EXPECT_EQ(take(), 0x30U);
  EXPECT_FALSE(apic_.next_deadline());
  EXPECT_EQ(read(kCurrent), 0U);
}

TEST_F(LocalApicTest, CurrentCountRunsDown) {
  write(kDivide, 0xB);
  write(kLvtTimer, 0x30);
  write(kInitial, 1000);
  now_ += 400 * kBusCycle;
  EXPECT_EQ(read(kCurrent), 600U);
  write(kInitial, 0);
  EXPECT_EQ(read(kCurrent), 0U);
  EXPECT_FALSE(apic_.next_deadline()) << "0 stops the timer";
}

TEST_F(LocalApicTest, DividerSlowsTheTimer) {
  constexpr struct {
    std::uint32_t code, divisor;
  } kRows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
  for (const auto& row : kRows) {
    write(kDivide, row.code);
    write(kInitial, 100);
    EXPECT_EQ(apic_.next_deadline(), now_ + 100 * kBusCycle * row.divisor) << row.divisor;
  }
}

TEST_F(LocalApicTest, ChangingTheDividerKeepsTheCount) {
  write(kDivide, 0xB);
  write(kInitial, 1000);
  now_ += 500 * kBusCycle;
  write(kDivide, 0);  // by 2
  EXPECT_EQ(read(kCurrent), 500U);
  EXPECT_EQ(apic_.next_deadline(), now_ + 500 * kBusCycle * 2);
}

// OVMF 2022.11 programs 10,000,000 counts, periodic: 400 ms at 25 MHz.
TEST_F(LocalApicTest, PeriodicTimerFiresEveryPeriod) {
  write(kDivide, 0xB);
  write(kLvtTimer, kPeriodic | 0x68);
  write(kInitial, 10'000'000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(apic_.next_deadline(), now_ + 400'000'000);
    advance(400'000'000);
    EXPECT_EQ(take(), 0x68U);
    write(kEoi, 0);
  }
}

TEST_F(LocalApicTest, MissedPeriodsAreOneInterruptAndKeepThePhase) {
  write(kDivide, 0xB);
  write(kLvtTimer, kPeriodic | 0x68);
  write(kInitial, 10'000);  // 400 us
  const auto start = now_;
  advance(1'000'000);
  EXPECT_EQ(take(), 0x68U);
  write(kEoi, 0);
  EXPECT_FALSE(apic_.pending());
  EXPECT_EQ(apic_.next_deadline(), start + 1'200'000);
  EXPECT_EQ(read(kCurrent), 5'000U);
}

TEST_F(LocalApicTest, PeriodsAreAtLeastTwoHundredMicroseconds) {
  write(kDivide, 0xB);
  write(kLvtTimer, kPeriodic | 0x68);
  write(kInitial, 1);
  EXPECT_EQ(apic_.next_deadline(), now_ + 200'000);
}

TEST_F(LocalApicTest, MaskedTimerCountsSilently) {
  write(kDivide, 0xB);
  write(kLvtTimer, kMasked | 0x30);
  write(kInitial, 100);
  advance(10'000);
  EXPECT_FALSE(apic_.pending());
  EXPECT_FALSE(apic_.next_deadline());
}

TEST_F(LocalApicTest, TscDeadlineFiresOnceAndReadsZero) {
  apic_.set_tsc_deadline(123, now_ + 50);
  EXPECT_FALSE(apic_.next_deadline()) << "not in TSC-deadline mode";
  write(kLvtTimer, kTscDeadline | 0xEC);
  apic_.set_tsc_deadline(123, now_ + 50);
  EXPECT_EQ(apic_.tsc_deadline(), 123U);
  write(kInitial, 7);
  EXPECT_EQ(read(kInitial), 0U) << "ignored in this mode";
  advance(50);
  EXPECT_EQ(take(), 0xECU);
  EXPECT_EQ(apic_.tsc_deadline(), 0U);
  apic_.set_tsc_deadline(456, now_ + 50);
  apic_.set_tsc_deadline(0, 0);
  EXPECT_FALSE(apic_.next_deadline());
}

TEST_F(LocalApicTest, LeavingTscDeadlineModeDisarms) {
  write(kLvtTimer, kTscDeadline | 0xEC);
  apic_.set_tsc_deadline(123, now_ + 50);
  write(kLvtTimer, 0xEC);
  EXPECT_FALSE(apic_.next_deadline());
}

TEST_F(LocalApicTest, LosesNoInterruptOfConcurrentSenders) {
  constexpr unsigned kSenders = 4;
  std::vector<std::thread> senders;
  for (unsigned s = 0; s < kSenders; ++s)
    senders.emplace_back([this, s] {
      for (unsigned v = 32 + s; v < 256; v += kSenders) apic_.inject(static_cast<std::uint8_t>(v));
    });
  unsigned taken = 0;
  while (taken < 224)
    if (take()) {
      ++taken;
      write(kEoi, 0);
    }
  for (auto& sender : senders) sender.join();
  EXPECT_FALSE(apic_.pending());
}

}  // namespace
}  // namespace virttdx::softhost
