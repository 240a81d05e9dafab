// SPDX-License-Identifier: GPL-2.0-or-later
#include "memory/guest_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>

#include "../kvm/fake_kernel.h"

namespace virttdx::test {
namespace {

GpaRange range(std::uint64_t base, std::uint64_t size) { return *GpaRange::create({base}, size); }

constexpr std::uint64_t kHigh = 0x100000000;

class GuestMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    kernel_.on_ioctl[kvm::KVM_SET_USER_MEMORY_REGION2] = [this](int, std::uintptr_t argument) {
      slots_.push_back(*reinterpret_cast<kvm::kvm_userspace_memory_region2*>(argument));
      return 0;
    };
    kernel_.on_ioctl[kvm::KVM_SET_MEMORY_ATTRIBUTES] = [this](int, std::uintptr_t argument) {
      attributes_.push_back(*reinterpret_cast<kvm::kvm_memory_attributes*>(argument));
      return 0;
    };
    vm_.emplace(std::move(*Kvm::open(kernel_)->create_vm(kvm::KVM_X86_TDX_VM)));
    const std::array regions = {range(0, 0x10000), range(0x10000, 0x4000), range(kHigh, 0x10000)};
    memory_ = std::move(*GuestMemory::create(*vm_, regions));
    attributes_.clear();
  }

  FakeKernel kernel_;
  std::vector<kvm::kvm_userspace_memory_region2> slots_;
  std::vector<kvm::kvm_memory_attributes> attributes_;
  std::optional<KvmVm> vm_;
  std::unique_ptr<GuestMemory> memory_;
};

TEST_F(GuestMemoryTest, MakesASlotWithBothSidesOfEachRegion) {
  ASSERT_EQ(slots_.size(), 3U);
  EXPECT_EQ(slots_[2].slot, 2U);
  EXPECT_EQ(slots_[2].flags, kvm::KVM_MEM_GUEST_MEMFD);
  EXPECT_EQ(slots_[2].guest_phys_addr, kHigh);
  EXPECT_EQ(slots_[2].memory_size, 0x10000U);
  EXPECT_EQ(slots_[2].guest_memfd, static_cast<std::uint32_t>(FakeKernel::kFirstMemoryFd + 2));
  EXPECT_NE(slots_[2].userspace_addr, 0U);
}

TEST_F(GuestMemoryTest, RefusesAccessOfDevicesToPrivatePages) {
  std::array<std::byte, 4> bytes{};
  EXPECT_FALSE(memory_->read({0x1000}, bytes));
  EXPECT_FALSE(memory_->write({0x1000}, bytes));
}

TEST_F(GuestMemoryTest, GivesDevicesSharedPagesAndNotAByteMore) {
  ASSERT_TRUE(memory_->convert(range(0x1000, 0x2000), false));
  const std::array bytes = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  EXPECT_TRUE(memory_->write({0x1FFE}, bytes));
  std::array<std::byte, 4> back{};
  EXPECT_TRUE(memory_->read({0x1FFE}, back));
  EXPECT_EQ(back, bytes);
  EXPECT_TRUE(memory_->write({0x2FFC}, bytes));
  EXPECT_FALSE(memory_->write({0x2FFD}, bytes));
  EXPECT_FALSE(memory_->write({0xFFF}, bytes));
}

TEST_F(GuestMemoryTest, RefusesAddressesOutsideOfMemoryAndAroundTheEnd) {
  std::array<std::byte, 8> bytes{};
  EXPECT_FALSE(memory_->read({0x20000}, bytes));
  EXPECT_FALSE(memory_->read({~std::uint64_t{0} - 3}, bytes));
}

TEST_F(GuestMemoryTest, TellsKvmAndDiscardsThePrivateSideWhenMemoryBecomesShared) {
  ASSERT_TRUE(memory_->convert(range(kHigh + 0x2000, 0x3000), false));
  ASSERT_EQ(attributes_.size(), 1U);
  EXPECT_EQ(attributes_[0].address, kHigh + 0x2000);
  EXPECT_EQ(attributes_[0].attributes, 0U);
  EXPECT_EQ(kernel_.holes, (std::vector<FakeKernel::Hole>{{FakeKernel::kFirstMemoryFd + 2, 0x2000, 0x3000}}));
}

TEST_F(GuestMemoryTest, ForgetsSharedContentThatBecamePrivate) {
  const std::array secret = {std::byte{0x55}};
  ASSERT_TRUE(memory_->convert(range(0x1000, 0x1000), false));
  ASSERT_TRUE(memory_->write({0x1000}, secret));
  ASSERT_TRUE(memory_->convert(range(0x1000, 0x1000), true));
  EXPECT_EQ(attributes_.back().attributes, kvm::KVM_MEMORY_ATTRIBUTE_PRIVATE);
  ASSERT_TRUE(memory_->convert(range(0x1000, 0x1000), false));
  std::array<std::byte, 1> back{};
  ASSERT_TRUE(memory_->read({0x1000}, back));
  EXPECT_EQ(back[0], std::byte{0});
}

TEST_F(GuestMemoryTest, ConvertsARangeAcrossRegions) {
  ASSERT_TRUE(memory_->convert(range(0xF000, 0x2000), false));
  ASSERT_EQ(attributes_.size(), 2U);
  EXPECT_EQ(attributes_[0].size, 0x1000U);
  EXPECT_EQ(attributes_[1].address, 0x10000U);
  ASSERT_TRUE(memory_->convert(range(0xF000, 0x2000), true));
}

TEST_F(GuestMemoryTest, LetsPlacesWithoutMemoryBecomeSharedButNotPrivate) {
  EXPECT_TRUE(memory_->convert(range(0xFEC00000, 0x1000), false));
  EXPECT_TRUE(attributes_.empty());
  EXPECT_FALSE(memory_->convert(range(0xFEC00000, 0x1000), true));
  EXPECT_FALSE(memory_->convert(range(0x13000, 0x2000), true));
  EXPECT_TRUE(attributes_.empty());
}

TEST_F(GuestMemoryTest, RefusesToConvertPartsOfPagesOrNothing) {
  EXPECT_FALSE(memory_->convert(range(0x1800, 0x1000), false));
  EXPECT_FALSE(memory_->convert(range(0x1000, 0), false));
}

TEST_F(GuestMemoryTest, ClosesItsDescriptorsThroughTheSeam) {
  memory_.reset();
  EXPECT_EQ(kernel_.open_fds, (std::set<int>{FakeKernel::kVmFd}));
}

}  // namespace
}  // namespace virttdx::test
