// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/module/secure_ept.h"

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "module_fixture.h"

namespace virttdx::softhost {
namespace {

using Accept = SecureEpt::Accept;
constexpr std::uint64_t kPage = 4096, kLarge = 2 << 20;

TEST(SecureEpt, KnowsNothingOfAFreshAddressSpace) {
  const SecureEpt ept;
  const auto page = ept.walk(0x123456789000);
  EXPECT_EQ(page.state, PageState::Free);
  EXPECT_EQ(page.host, nullptr);
}

TEST(SecureEpt, FindsThePageThatHoldsAnAddress) {
  SecureEpt ept;
  const HostMemory memory(kPage);
  EXPECT_TRUE(ept.map(0x5000, 0, memory.at(0), PageState::Mapped));
  const auto page = ept.walk(0x5ABC);
  EXPECT_EQ(page.state, PageState::Mapped);
  EXPECT_EQ(page.host, memory.at(0));
  EXPECT_EQ(page.level, 0U);
  EXPECT_EQ(ept.walk(0x4FFF).state, PageState::Free);
  EXPECT_EQ(ept.walk(0x6000).state, PageState::Free);
}

TEST(SecureEpt, RefusesToMapAPageTwice) {
  SecureEpt ept;
  const HostMemory memory(kLarge);
  EXPECT_TRUE(ept.map(0, 0, memory.at(0), PageState::Mapped));
  EXPECT_FALSE(ept.map(0, 0, memory.at(kPage), PageState::Pending));
  EXPECT_FALSE(ept.map(0, 1, memory.at(0), PageState::Pending));
  EXPECT_TRUE(ept.map(kLarge, 1, memory.at(0), PageState::Pending));
  EXPECT_FALSE(ept.map(kLarge + kPage, 0, memory.at(0), PageState::Pending));
  EXPECT_EQ(ept.walk(0).host, memory.at(0));
}

TEST(SecureEpt, SpansEndWhereStateOrHostMemoryChanges) {
  SecureEpt ept;
  const HostMemory memory(16 * kPage);
  for (std::uint64_t i = 0; i < 6; ++i) ept.map(i * kPage, 0, memory.at(i * kPage), PageState::Mapped);
  ept.map(6 * kPage, 0, memory.at(6 * kPage), PageState::Pending);
  ept.map(7 * kPage, 0, memory.at(9 * kPage), PageState::Pending);
  const auto page = ept.walk(2 * kPage);
  EXPECT_EQ(page.span_before, 2 * kPage);
  EXPECT_EQ(page.span_after, 3 * kPage);
  EXPECT_EQ(ept.walk(6 * kPage).span_before, 0U);
  EXPECT_EQ(ept.walk(6 * kPage).span_after, 0U);
}

TEST(SecureEpt, SpansOfALargePageReachItsEnds) {
  SecureEpt ept;
  const HostMemory memory(kLarge);
  ept.map(kLarge, 1, memory.at(0), PageState::Mapped);
  const auto page = ept.walk(kLarge + 5 * kPage + 12);
  EXPECT_EQ(page.level, 1U);
  EXPECT_EQ(page.host, memory.at(5 * kPage));
  EXPECT_EQ(page.span_before, 5 * kPage);
  EXPECT_EQ(page.span_after, kLarge - 6 * kPage);
}

TEST(SecureEpt, AcceptingZeroesAPendingPage) {
  SecureEpt ept;
  const HostMemory memory(kPage);
  ept.map(0x1000, 0, memory.at(0), PageState::Pending);
  EXPECT_EQ(ept.accept(0x1000, 0).result, Accept::Accepted);
  EXPECT_EQ(ept.walk(0x1000).state, PageState::Mapped);
  EXPECT_EQ(*memory.at(0), std::byte{0});
  EXPECT_EQ(*memory.at(kPage - 1), std::byte{0});
}

TEST(SecureEpt, AcceptingDoesNotWriteMemoryKnownToBeZero) {
  SecureEpt ept;
  const HostMemory memory(kPage);
  ept.map(0x1000, 0, memory.at(0), PageState::Pending, true);
  EXPECT_EQ(ept.accept(0x1000, 0).result, Accept::Accepted);
  EXPECT_EQ(*memory.at(0), std::byte{0x5A});  // a claim of the caller, here a false one
}

TEST(SecureEpt, AcceptAnswersByWhatIsThere) {
  SecureEpt ept;
  const HostMemory memory(kLarge);
  EXPECT_EQ(ept.accept(0, 0).result, Accept::EptViolation);
  EXPECT_EQ(ept.accept(0, 1).result, Accept::EptViolation);
  ept.map(0, 0, memory.at(0), PageState::Pending);
  EXPECT_EQ(ept.accept(0, 1).result, Accept::SizeMismatch);
  EXPECT_EQ(ept.accept(kPage, 0).result, Accept::EptViolation);
  EXPECT_EQ(ept.accept(0, 0).result, Accept::Accepted);
  EXPECT_EQ(ept.accept(0, 0).result, Accept::AlreadyAccepted);
  ept.map(kLarge, 1, memory.at(0), PageState::Pending);
  EXPECT_EQ(ept.accept(kLarge, 0).result, Accept::EptViolation) << "4 KiB asked of a pending 2 MiB page";
  EXPECT_EQ(ept.accept(kLarge, 1).result, Accept::Accepted);
  EXPECT_EQ(ept.accept(kLarge, 1).result, Accept::AlreadyAccepted);
  EXPECT_EQ(ept.accept(kLarge + kPage, 0).level, 1U);
}

TEST(SecureEpt, DemotingKeepsStateAndHostMemory) {
  SecureEpt ept;
  const HostMemory memory(kLarge);
  EXPECT_FALSE(ept.demote(kLarge));
  ept.map(kLarge, 1, memory.at(0), PageState::Pending);
  EXPECT_TRUE(ept.demote(kLarge + kPage));
  const auto page = ept.walk(kLarge + 7 * kPage);
  EXPECT_EQ(page.level, 0U);
  EXPECT_EQ(page.state, PageState::Pending);
  EXPECT_EQ(page.host, memory.at(7 * kPage));
  EXPECT_EQ(ept.accept(kLarge + 7 * kPage, 0).result, Accept::Accepted);
}

TEST(SecureEpt, UnmappingPartOfALargePageLeavesTheRest) {
  SecureEpt ept;
  const HostMemory memory(kLarge);
  ept.map(0, 1, memory.at(0), PageState::Mapped);
  EXPECT_EQ(ept.unmap(kPage, 2 * kPage), 2 * kPage);
  EXPECT_EQ(ept.walk(kPage).state, PageState::Free);
  EXPECT_EQ(ept.walk(3 * kPage).host, memory.at(3 * kPage));
  EXPECT_EQ(ept.walk(0).span_after, 0U);
}

TEST(SecureEpt, ALargePageMayComeWhereAllSmallOnesAreGone) {
  SecureEpt ept;
  const HostMemory memory(kLarge);
  ept.map(0, 0, memory.at(0), PageState::Mapped);
  EXPECT_EQ(ept.unmap(0, 3 * kLarge), kPage);
  EXPECT_TRUE(ept.map(0, 1, memory.at(0), PageState::Pending));
}

TEST(SecureEpt, LetsVcpusAcceptTheirPagesSideBySide) {
  constexpr std::uint64_t kVcpus = 4, kPages = 512;
  SecureEpt ept;
  const HostMemory memory(kPages * kPage);
  for (std::uint64_t i = 0; i < kPages; ++i) ept.map(i * kPage, 0, memory.at(i * kPage), PageState::Pending);
  std::vector<std::thread> vcpus;
  for (std::uint64_t vcpu = 0; vcpu < kVcpus; ++vcpu)
    vcpus.emplace_back([&ept, vcpu] {
      for (std::uint64_t i = vcpu; i < kPages; i += kVcpus) {
        EXPECT_EQ(ept.accept(i * kPage, 0).result, Accept::Accepted);
        EXPECT_EQ(ept.walk(i * kPage).state, PageState::Mapped);
      }
    });
  for (auto& vcpu : vcpus) vcpu.join();
  EXPECT_EQ(ept.walk(0).span_after, (kPages - 1) * kPage);
}

// Random operations on 8 MiB against one record per page.
TEST(SecureEpt, AgreesWithAPagewiseModelOverRandomOperations) {
  struct Model {
    PageState state = PageState::Free;
    std::byte* host = nullptr;
  };
  constexpr std::uint64_t kPages = 2048;
  SecureEpt ept;
  const HostMemory memory(kPages * kPage);
  std::vector<Model> model(kPages);
  std::mt19937 random(1);
  const auto below = [&random](std::uint64_t n) {
    return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 4000; ++round) {
    const bool large = below(3) == 0;
    const std::uint64_t count = large ? 512 : 1, first = large ? below(4) * 512 : below(kPages);
    const auto gpa = first * kPage;
    switch (below(4)) {
      case 0: {
        bool free = true;
        for (auto i = first; i < first + count; ++i) free = free && model[i].state == PageState::Free;
        const auto state = below(2) ? PageState::Pending : PageState::Mapped;
        ASSERT_EQ(ept.map(gpa, large, memory.at(gpa), state), free);
        for (auto i = first; free && i < first + count; ++i) model[i] = {state, memory.at(i * kPage)};
        break;
      }
      case 1: {
        const auto size = (below(3) ? below(8) : below(600)) + 1;
        const auto last = std::min(first + size, kPages);
        std::uint64_t used = 0;
        for (auto i = first; i < last; ++i) used += model[i].state != PageState::Free;
        ASSERT_EQ(ept.unmap(gpa, (last - first) * kPage), used * kPage);
        for (auto i = first; i < last; ++i) model[i] = {};
        break;
      }
      case 2:
        if (ept.accept(gpa, large).result == Accept::Accepted)
          for (auto i = first; i < first + count; ++i) {
            ASSERT_EQ(model[i].state, PageState::Pending);
            model[i].state = PageState::Mapped;
          }
        break;
      default:
        ept.demote(gpa);
    }
    const auto counts = ept.count_pages();
    ASSERT_EQ(counts.small + counts.large * (kLarge / kPage),
              static_cast<std::uint64_t>(std::ranges::count_if(
                  model, [](const auto& page) { return page.state != PageState::Free; })));
    const auto probe = below(kPages);
    const auto page = ept.walk(probe * kPage);
    ASSERT_EQ(page.state, model[probe].state);
    ASSERT_EQ(page.host, model[probe].host);
    for (auto i = probe - page.span_before / kPage; i <= probe + page.span_after / kPage; ++i)
      ASSERT_EQ(model[i].state, page.state);
  }
}

}  // namespace
}  // namespace virttdx::softhost
