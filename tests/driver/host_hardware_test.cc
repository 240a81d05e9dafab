// SPDX-License-Identifier: GPL-2.0-or-later
// What capabilities tell of a machine, read from folders as its kernel shows them.
#include "host/host_hardware.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace virttdx::driver {
namespace {

class AMachine : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }
  void has(const std::string& file, const std::string& text) const {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  void has_cpu(unsigned id, unsigned socket, unsigned die) const {
    const auto topology = "sys/devices/system/cpu/cpu" + std::to_string(id) + "/topology/";
    has(topology + "physical_package_id", std::to_string(socket));
    has(topology + "die_id", std::to_string(die));
  }
  void has_cache(unsigned cpu, unsigned index, const std::string& level, const std::string& type,
                 const std::string& cpus) const {
    const auto cache = fmt::format("sys/devices/system/cpu/cpu{}/cache/index{}/", cpu, index);
    has(cache + "id", "7");
    has(cache + "level", level);
    has(cache + "type", type);
    has(cache + "size", "15360K");
    has(cache + "shared_cpu_list", cpus);
  }
  domain_xml::HostHardware read() const { return read_host_hardware(root_); }

  const std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) / fmt::format("virttdx-machine-{}", ::getpid());
};

TEST_F(AMachine, OfWhichNothingIsKnownHasNothing) {
  const auto hardware = read();
  EXPECT_FALSE(hardware.microcode);
  EXPECT_FALSE(hardware.iommu);
  EXPECT_EQ(hardware.dies_per_socket, 1U);
  EXPECT_TRUE(hardware.caches.empty());
  EXPECT_TRUE(hardware.distances.empty());
}

TEST_F(AMachine, HasTheMicrocodeOfItsFirstCpu) {
  has("proc/cpuinfo", "processor\t: 0\nmodel name\t: a\nmicrocode\t: 0x2b000461\ncpu MHz\t\t: 2000.000");
  EXPECT_EQ(read().microcode, 0x2B000461U);
}

TEST_F(AMachine, HasAnIommuWithTheFirstGroup) {
  std::filesystem::create_directories(root_ / "sys/kernel/iommu_groups");
  EXPECT_FALSE(read().iommu);
  std::filesystem::create_directories(root_ / "sys/kernel/iommu_groups/0");
  EXPECT_TRUE(read().iommu);
}

TEST_F(AMachine, HasDiesInSockets) {
  has("sys/devices/system/cpu/online", "0-3");
  has_cpu(0, 0, 0);
  has_cpu(1, 0, 1);
  has_cpu(2, 1, 0);
  has_cpu(3, 1, 1);
  const auto hardware = read();
  EXPECT_EQ(hardware.dies_per_socket, 2U);
  EXPECT_EQ(hardware.die_of_cpu, (std::map<std::uint32_t, std::uint32_t>{{0, 0}, {1, 1}, {2, 0}, {3, 1}}));
}

TEST_F(AMachine, HasEachSharedCacheOnce) {
  has("sys/devices/system/cpu/online", "0-1");
  for (const unsigned cpu : {0U, 1U}) {
    has_cache(cpu, 0, "1", "Data", std::to_string(cpu));
    has_cache(cpu, 3, "3", "Unified", "0-1");
  }
  const auto caches = read().caches;
  ASSERT_EQ(caches.size(), 1U);
  EXPECT_EQ(caches[0].id, 7U);
  EXPECT_EQ(caches[0].level, 3U);
  EXPECT_EQ(caches[0].type, "both");
  EXPECT_EQ(caches[0].size_kib, 15360U);
  EXPECT_EQ(caches[0].cpus, "0-1");
}

TEST_F(AMachine, HasDistancesBetweenTheNodesThatAreOnline) {
  has("sys/devices/system/node/online", "0,2");
  has("sys/devices/system/node/node0/distance", "10 21");
  has("sys/devices/system/node/node2/distance", "21 10");
  const auto distances = read().distances;
  EXPECT_EQ(distances.at(0), (std::map<std::uint32_t, std::uint32_t>{{0, 10}, {2, 21}}));
  EXPECT_EQ(distances.at(2), (std::map<std::uint32_t, std::uint32_t>{{0, 21}, {2, 10}}));
}

TEST_F(AMachine, HasHugePagesInItsNodes) {
  has("sys/devices/system/node/online", "0-1");
  has("sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "512");
  has("sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages", "4");
  has("sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "0");
  const auto pages = read().pages;
  EXPECT_EQ(pages.at(0), (domain_xml::HugePages{{2048, 512}, {1048576, 4}}));
  EXPECT_EQ(pages.at(1), (domain_xml::HugePages{{2048, 0}}));
}

TEST_F(AMachine, WithoutNodesHasItsHugePagesInTheOnlyCell) {
  has("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "3");
  EXPECT_EQ(read().pages.at(0), (domain_xml::HugePages{{2048, 3}}));
}

}  // namespace
}  // namespace virttdx::driver
