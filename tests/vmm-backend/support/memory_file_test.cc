// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "huge_pages.h"

namespace virttdx {
namespace {

TEST(AMemoryFile, HoldsTheSamePagesWhereverItIsMapped) {
  auto file = MemoryFile::create("test", 8192).value();
  file.bytes()[5000] = std::byte{7};
  void* const there = ::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file.fd(), 0);
  ASSERT_NE(there, MAP_FAILED);
  EXPECT_EQ(static_cast<std::byte*>(there)[5000], std::byte{7});
  ASSERT_TRUE(file.discard(4096, 4096));
  EXPECT_EQ(static_cast<std::byte*>(there)[5000], std::byte{0});
  ::munmap(there, 8192);
}

TEST(AMemoryFile, KeepsItsSizeWhoeverHasIt) {
  const auto file = MemoryFile::create("test", 8192).value();
  EXPECT_EQ(::ftruncate(file.fd(), 4096), -1);
  EXPECT_EQ(errno, EPERM);
}

/// "VmFlags" of the mapping at `address` in /proc/self/smaps.
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const std::string begin = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(address));
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    found = found || line.starts_with(begin);
    if (found && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST(AMemoryFile, WishesForHugePagesAndNoDump) {
  if (::access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0)
    GTEST_SKIP() << "this kernel has no huge pages";
  const auto file = MemoryFile::create("test", 4 << 20).value();
  const std::string flags = flags_of(file.bytes().data());
  EXPECT_NE(flags.find(" hg "), std::string::npos) << flags;
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
}

constexpr std::size_t kHugePage = 2U << 20;

TEST(AMemoryFile, OfHugePagesDiscardsTheirPartsToo) {
  if (test::free_huge_pages() < 2)
    GTEST_SKIP() << "fewer than 2 huge pages are free (sysctl vm.nr_hugepages)";
  auto file = MemoryFile::create_huge("test", 2 * kHugePage, kHugePage).value();
  file.bytes()[5000] = file.bytes()[kHugePage + 1] = std::byte{7};
  ASSERT_TRUE(file.discard(4096, 4096));
  ASSERT_TRUE(file.discard(kHugePage, kHugePage));
  EXPECT_EQ(file.bytes()[5000], std::byte{0});
  EXPECT_EQ(file.bytes()[kHugePage + 1], std::byte{0});
}

TEST(AMemoryFile, TellsHowManyHugePagesAreNeededAndFree) {
  const auto refused = MemoryFile::create_huge("test", std::size_t{1} << 46, kHugePage);
  ASSERT_FALSE(refused);
  const std::string message = refused.error().message();
  if (refused.error().code() == Error::Code::Unsupported) GTEST_SKIP() << message;
  EXPECT_EQ(refused.error().code(), Error::Code::NoSpace);
  EXPECT_THAT(message, testing::StartsWith("Cannot reserve 33554432 huge pages of 2048 KiB: "));
  EXPECT_THAT(message, testing::HasSubstr(" are free; give the host more with sysctl vm.nr_hugepages"));
}

}  // namespace
}  // namespace virttdx
