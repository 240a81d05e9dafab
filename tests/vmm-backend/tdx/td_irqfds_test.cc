// SPDX-License-Identifier: GPL-2.0-or-later
#include "tdx/td_irqfds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "../kvm/fake_kernel.h"

namespace virttdx::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr MsiMessage kFirst{0xFEE00000, 0x41}, kSecond{0x100FEE01000, 0x42};

/// KVM's routes and irqfds as requests leave them.
class TdIrqfdsTest : public testing::Test {
 protected:
  void SetUp() override {
    kernel_.on_ioctl[kvm::KVM_SET_GSI_ROUTING] = [this](int, std::uintptr_t argument) {
      return set_routes(argument);
    };
    kernel_.on_ioctl[kvm::KVM_IRQFD] = [this](int, std::uintptr_t argument) {
      const auto& request = *reinterpret_cast<const kvm::kvm_irqfd*>(argument);
      if (irqfd_answer_ != 0) return irqfd_answer_;
      if (request.flags == 0)
        gsis_[request.fd] = request.gsi;
      else
        gsis_.erase(request.fd);
      return 0;
    };
  }
  int set_routes(std::uintptr_t argument) {
    if (routing_answer_ != 0) return routing_answer_;
    kvm::kvm_irq_routing table{};
    std::memcpy(&table, reinterpret_cast<const void*>(argument), sizeof(table));
    routes_.clear();
    for (std::uint32_t i = 0; i < table.nr; ++i) {
      kvm::kvm_irq_routing_entry entry{};
      std::memcpy(&entry, reinterpret_cast<const std::byte*>(argument) + sizeof(table) + i * sizeof(entry),
                  sizeof(entry));
      EXPECT_EQ(entry.type, kvm::KVM_IRQ_ROUTING_MSI);
      routes_[entry.gsi] = {std::uint64_t{entry.u.msi.address_hi} << 32 | entry.u.msi.address_lo,
                            entry.u.msi.data};
    }
    return 0;
  }

  FakeKernel kernel_;
  std::map<std::uint32_t, MsiMessage> routes_;   ///< by GSI
  std::map<std::uint32_t, std::uint32_t> gsis_;  ///< by eventfd
  int routing_answer_ = 0, irqfd_answer_ = 0;
  KvmVm vm_ = Kvm::open(kernel_).value().create_vm(kvm::KVM_X86_TDX_VM).value();
  TdIrqfds irqfds_{vm_};
};

TEST_F(TdIrqfdsTest, GivesEachEventfdAGsiBehindThoseOfTheIoapic) {
  ASSERT_TRUE(irqfds_.connect(7, kFirst));
  ASSERT_TRUE(irqfds_.connect(8, kSecond));
  EXPECT_THAT(gsis_, ElementsAre(Pair(7, 24), Pair(8, 25)));
  EXPECT_THAT(routes_, ElementsAre(Pair(24, kFirst), Pair(25, kSecond)));
}

TEST_F(TdIrqfdsTest, AnotherMessageKeepsTheGsi) {
  ASSERT_TRUE(irqfds_.connect(7, kFirst));
  ASSERT_TRUE(irqfds_.connect(7, kSecond));
  EXPECT_THAT(gsis_, ElementsAre(Pair(7, 24)));
  EXPECT_THAT(routes_, ElementsAre(Pair(24, kSecond)));
}

TEST_F(TdIrqfdsTest, UsesTheGsiOfADisconnectedEventfdAgain) {
  ASSERT_TRUE(irqfds_.connect(7, kFirst));
  ASSERT_TRUE(irqfds_.connect(8, kFirst));
  irqfds_.disconnect(7);
  irqfds_.disconnect(7);
  EXPECT_THAT(gsis_, ElementsAre(Pair(8, 25)));
  ASSERT_TRUE(irqfds_.connect(9, kSecond));
  EXPECT_THAT(gsis_, ElementsAre(Pair(8, 25), Pair(9, 24)));
  EXPECT_THAT(routes_, ElementsAre(Pair(24, kSecond), Pair(25, kFirst)));
}

// The guest writes the message: one that KVM refuses must not spoil the table for the others.
TEST_F(TdIrqfdsTest, AMessageThatKvmRefusesIsLeftOutOfTheTable) {
  ASSERT_TRUE(irqfds_.connect(7, kFirst));
  ASSERT_TRUE(irqfds_.connect(8, kFirst));
  routing_answer_ = -EINVAL;
  EXPECT_THAT(irqfds_.connect(9, kSecond).error().message(), HasSubstr("KVM_SET_GSI_ROUTING"));
  EXPECT_FALSE(irqfds_.connect(8, kSecond));
  EXPECT_THAT(gsis_, ElementsAre(Pair(7, 24)));
  routing_answer_ = 0;
  ASSERT_TRUE(irqfds_.connect(7, kSecond));
  EXPECT_THAT(routes_, ElementsAre(Pair(24, kSecond)));
}

TEST_F(TdIrqfdsTest, AnEventfdThatKvmRefusesIsNotConnected) {
  irqfd_answer_ = -EBUSY;
  EXPECT_THAT(irqfds_.connect(7, kFirst).error().message(), HasSubstr("KVM_IRQFD"));
  irqfd_answer_ = 0;
  ASSERT_TRUE(irqfds_.connect(7, kFirst));
  EXPECT_THAT(gsis_, ElementsAre(Pair(7, 24)));
}

}  // namespace
}  // namespace virttdx::test
