// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

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

}  // namespace
}  // namespace virttdx
