// SPDX-License-Identifier: GPL-2.0-or-later
// Memory of guest_memfds: what is discarded is free again.
#include "softhost/kvm/guest_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>

#include "micro_td.h"
#include "vmm_backend/gpa.h"

namespace virttdx::softhost {
namespace {

constexpr std::uint64_t kSize = 8 * 1024 * 1024;

std::size_t resident_pages(const GuestMemory& memory) {
  std::vector<unsigned char> map(memory.size() / kPageSize);
  EXPECT_EQ(mincore(memory.at(0), memory.size(), map.data()), 0);
  return static_cast<std::size_t>(
      std::count_if(map.begin(), map.end(), [](unsigned char byte) { return byte & 1; }));
}

/// Of this process.
std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(GuestMemory, TakesNothingBeforeItIsWritten) {
  const auto memory = GuestMemory::create(kSize);
  EXPECT_EQ(resident_pages(*memory), 0U);
}

TEST(GuestMemory, GivesDiscardedPagesBack) {
  const auto memory = GuestMemory::create(kSize);
  std::memset(memory->at(0), 0x5A, kSize);
  ASSERT_EQ(resident_pages(*memory), kSize / kPageSize);
  memory->discard(kSize / 2, kSize / 2);
  EXPECT_EQ(resident_pages(*memory), kSize / 2 / kPageSize);
  EXPECT_EQ(*memory->at(kSize / 2), std::byte{0});
  EXPECT_EQ(*memory->at(0), std::byte{0x5A});
}

class DiscardedMemory : public MicroTd {
 protected:
  static constexpr std::uint64_t kBase = 2 * 1024 * 1024;
  static constexpr std::uint64_t kLength = 2 * 1024 * 1024;

  /// A TD whose guest has written all of [kBase, kBase + kLength).
  void launch_and_fill() {
    launch(Program()
               .accept(kBase, 1)
               .bytes({0xBF, 0x00, 0x00, 0x20, 0x00,  // mov $0x200000, %edi
                       0xB9, 0x00, 0x00, 0x20, 0x00,  // mov $0x200000, %ecx
                       0xB0, 0x5A, 0xF3, 0xAA})       // mov $0x5a, %al; rep stosb
               .report());
    before_fill = resident_bytes();
    enter_until_report();
    filled = resident_bytes();
  }
  std::size_t before_fill = 0, filled = 0;
};

TEST_F(DiscardedMemory, IsFreeAfterItsConversion) {
  launch_and_fill();
  ASSERT_GE(filled, before_fill + kLength / 2);
  ASSERT_EQ(set_attributes(vm, kBase, kLength, 0), 0);
  EXPECT_LE(resident_bytes(), filled - kLength / 2);
}

TEST_F(DiscardedMemory, IsFreeAfterItsHoleIsPunched) {
  launch_and_fill();
  ASSERT_EQ(host->punch_hole(ram_memfd, kBase, kLength), 0);
  EXPECT_LE(resident_bytes(), filled - kLength / 2);
}

TEST_F(DiscardedMemory, IsFreeWhenItsGuestMemfdIsClosed) {
  launch_and_fill();
  ASSERT_EQ(host->close(ram_memfd), 0);
  EXPECT_LE(resident_bytes(), filled - kLength / 2);
}

}  // namespace
}  // namespace virttdx::softhost
