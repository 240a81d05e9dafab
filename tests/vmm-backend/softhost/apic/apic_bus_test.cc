// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/apic/apic_bus.h"

#include <gtest/gtest.h>

#include <string>

#include "softhost/apic/local_apic.h"

namespace virttdx::softhost {
namespace {

// Four APICs, ids 0, 1, 2 (cluster 0) and 0x10 (cluster 1).
class ApicBusTest : public testing::Test {
 protected:
  void SetUp() override {
    for (auto* apic : apics_) ASSERT_TRUE(apic->write(0x80F, 0x1FF, 0));
  }
  // Which of the four got `vector`, as "0110".
  std::string receivers(unsigned vector) {
    std::string text;
    for (auto* apic : apics_) {
      const auto pending = apic->pending();
      text += pending == vector ? '1' : '0';
      if (!pending) continue;
      apic->acknowledge(*pending);
      apic->write(0x80B, 0, 0);
    }
    return text;
  }
  std::string after_icr(std::uint64_t value) {
    EXPECT_TRUE(b_.write(0x830, value, 0));
    return receivers(value & 0xFF);
  }
  std::string after_msi(std::uint32_t low, std::uint32_t high, std::uint32_t data) {
    bus_.deliver_msi(low, high, data);
    return receivers(data & 0xFF);
  }

  ApicBus bus_;
  LocalApic a_{bus_, 0, 40}, b_{bus_, 1, 40}, c_{bus_, 2, 40}, d_{bus_, 0x10, 40};
  std::array<LocalApic*, 4> apics_ = {&a_, &b_, &c_, &d_};
};

TEST_F(ApicBusTest, PhysicalDestinationIsOneId) {
  EXPECT_EQ(after_icr(2ULL << 32 | 0x40), "0010");
  EXPECT_EQ(after_icr(0x10ULL << 32 | 0x40), "0001");
  EXPECT_EQ(after_icr(9ULL << 32 | 0x40), "0000");
}

TEST_F(ApicBusTest, AllOnesIsEverybody) { EXPECT_EQ(after_icr(0xFFFFFFFFULL << 32 | 0x40), "1111"); }

TEST_F(ApicBusTest, LogicalDestinationIsAClusterAndAMask) {
  EXPECT_EQ(after_icr(0x00000005ULL << 32 | 0x840), "1010");
  EXPECT_EQ(after_icr(0x00010001ULL << 32 | 0x840), "0001");
}

TEST_F(ApicBusTest, ShorthandsAreRelativeToTheSender) {
  EXPECT_EQ(after_icr(0x40040), "0100");
  EXPECT_EQ(after_icr(0x80040), "1111");
  EXPECT_EQ(after_icr(0xC0040), "1011");
}

TEST_F(ApicBusTest, LowestPriorityGoesToOneOfThem) {
  EXPECT_EQ(after_icr(0x00000007ULL << 32 | 0x940), "1000");
}

TEST_F(ApicBusTest, NmiArrivesAsNmi) {
  EXPECT_TRUE(b_.write(0x830, 2ULL << 32 | 0x400, 0));
  EXPECT_TRUE(c_.take_nmi());
  EXPECT_FALSE(a_.take_nmi());
}

TEST_F(ApicBusTest, InitAndStartUpDoNothing) {
  EXPECT_EQ(bus_.deliver({apic::DeliveryMode::Init, 0, false, 2, {}}, &b_), 0U);
  EXPECT_EQ(after_icr(2ULL << 32 | 0x640), "0000");
}

TEST_F(ApicBusTest, MsiReachesIdsAboveEightBits) {
  LocalApic far(bus_, 0x1234, 40);
  far.write(0x80F, 0x1FF, 0);
  EXPECT_EQ(after_msi(0xFEE01000, 0, 0x51), "0100");
  EXPECT_EQ(bus_.deliver_msi(0xFEE34000, 0x1200, 0x51), 1U) << "KVM's 32-bit ids";
  EXPECT_TRUE(far.pending());
  EXPECT_EQ(bus_.deliver_msi(0xFEE34000 | 0x12 << 5, 0, 0x51), 1U) << "MSI extended destination id";
  EXPECT_EQ(bus_.deliver_msi(0xFEE99000, 0, 0x51), 0U);
}

TEST_F(ApicBusTest, ForgetsApicsThatAreGone) {
  { const LocalApic gone(bus_, 0x77, 40); }
  EXPECT_EQ(bus_.deliver_msi(0xFEE77000, 0, 0x51), 0U);
}

}  // namespace
}  // namespace virttdx::softhost
