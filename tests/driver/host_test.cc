// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "domain/image_size.h"
#include "host/host_name.h"
#include "host/neighbours.h"
#include "process/process_stat.h"

namespace virttdx::driver {
namespace {

TEST(ArpAddresses, AreThoseOfOneMacAddress) {
  const std::string table =
      "IP address       HW type     Flags       HW address            Mask     Device\n"
      "192.0.2.1        0x1         0x2         52:54:00:AA:00:01     *        br0\n"
      "192.0.2.2        0x1         0x2         52:54:00:aa:00:02     *        br0\n"
      "192.0.2.3        0x1         0x2         52:54:00:aa:00:01     *        br1\n"
      "garbage\n";
  EXPECT_EQ(arp_addresses("52:54:00:aa:00:01", table), (std::vector<std::string>{"192.0.2.1", "192.0.2.3"}));
  EXPECT_TRUE(arp_addresses("52:54:00:aa:00:09", table).empty());
  EXPECT_TRUE(arp_addresses("52:54:00:aa:00:01", "").empty());
}

std::optional<std::string> resolver_that_is_not_asked(const std::string&) {
  ADD_FAILURE() << "asked";
  return std::nullopt;
}

TEST(HostName, IsTheOneWithTheDomain) {
  EXPECT_EQ(best_host_name("td7", [](const std::string& name) { return name + ".example.org"; }),
            "td7.example.org");
  EXPECT_EQ(best_host_name("td7.example.org", resolver_that_is_not_asked), "td7.example.org");
}

TEST(HostName, IsTheHostsOwnWhereTheResolverKnowsNoBetter) {
  EXPECT_EQ(best_host_name("td7", [](const std::string&) { return std::nullopt; }), "td7");
  EXPECT_EQ(best_host_name("td7", [](const std::string&) { return "localhost.localdomain"; }), "td7");
  EXPECT_EQ(best_host_name("localhost", resolver_that_is_not_asked), "localhost");
}

class AnImage : public testing::Test {
 protected:
  void write(std::string_view bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void TearDown() override { std::filesystem::remove(path_); }
  const std::string path_ = testing::TempDir() + "virttdx-image";
};

TEST_F(AnImage, OfRawBytesIsAsLargeAsItsFile) {
  write(std::string(4096, 'x'));
  std::filesystem::resize_file(path_, 1 << 20);
  const auto size = image_size({path_, "raw"}).value();
  EXPECT_EQ(size.capacity, 1U << 20);
  EXPECT_EQ(size.physical, 1U << 20);
  EXPECT_LT(size.allocation, 1U << 20);
}

TEST_F(AnImage, OfQcow2TellsItsCapacityInItsHeader) {
  std::string header("QFI\xfb\0\0\0\3", 8);
  header += std::string(16, '\0') + std::string("\0\0\0\0\x40\0\0\0", 8);
  write(header);
  EXPECT_EQ(image_size({path_, "qcow2"}).value().capacity, 1U << 30);
  EXPECT_EQ(image_size({path_, "raw"}).value().capacity, 32U);
}

TEST_F(AnImage, ThatIsCutOffIsAsLargeAsItsFile) {
  write("QFI\xfb");
  EXPECT_EQ(image_size({path_, "qcow2"}).value().capacity, 4U);
}

TEST(SchedulerWait, IsWhatTheKernelTellsWhenItDoes) {
  EXPECT_EQ(scheduler_wait_ns("se.vruntime   :  9546.014795\nwait_sum       :   12.000345\nwait_count : 3\n"),
            12'000'345U);
  EXPECT_EQ(scheduler_wait_ns("se.statistics.wait_sum                       :             0.500000\n"),
            500'000U);
  EXPECT_EQ(scheduler_wait_ns("se.vruntime   :  9546.014795\n"), std::nullopt);
  EXPECT_EQ(scheduler_wait_ns(""), std::nullopt);
}

TEST(NoImage, IsAnErrorWithItsPath) {
  const auto size = image_size({"/nowhere/image", "raw"});
  EXPECT_EQ(size.error().system_errno(), ENOENT);
  EXPECT_NE(size.error().message().find("/nowhere/image"), std::string::npos);
}

}  // namespace
}  // namespace virttdx::driver
