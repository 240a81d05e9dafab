// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "backends/file_disk.h"
#include "backends/file_ring.h"
#include "control/sandbox.h"
#include "disk_client.h"

namespace virttdx {
namespace {

using Kind = BlockOperation::Kind;

constexpr std::size_t kSize = 1 << 20;

struct SpareRingsTest : testing::Test {
  SpareRingsTest() { std::filesystem::create_directories(directory); }
  ~SpareRingsTest() override { std::filesystem::remove_all(directory); }
  DiskConfig disk_of(char content) const {
    DiskConfig config;
    config.id = config.target = "vdb";
    config.source.emplace().path = (directory / std::string(1, content)).string();
    std::ofstream(config.source->path) << std::string(kSize, content);
    return config;
  }
  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("spare-rings-" + std::to_string(::getpid()));
};

// Writes with all the operations that a queue may have in flight, and reads; false: an error, or other bytes.
bool reads_and_writes(FileDisk& disk, char content) {
  test::DiskClient client(disk.queue(0));
  std::string read(512, '?'), written(512, 'w');
  const iovec into{read.data(), read.size()}, from{written.data(), written.size()};
  std::vector<BlockOperation> writes;
  for (std::uint32_t token = 0; token < disk.properties().queue_size; ++token)
    writes.push_back({.kind = Kind::Write,
                      .offset = 512 + 512 * token,
                      .size = 512,
                      .buffers = {&from, 1},
                      .token = token});
  if (client.run(writes) != 0) return false;
  if (client.run({{.kind = Kind::Read, .size = 512, .buffers = {&into, 1}}}) != 0) return false;
  return read == std::string(512, content);
}

// What a confined monitor does when disks are added and let go. 0, or the step that went wrong.
int add_disks_confined(const DiskConfig& first, const DiskConfig& second) {
  SpareRings rings(2);
  if (rings.count() != 2) return 1;
  if (!enter_sandbox()) return 2;
  DiskSurroundings surroundings;
  surroundings.rings = &rings;
  for (int round = 0; round < 3; ++round) {
    auto a = FileDisk::create(first, surroundings);
    if (!a || rings.count() != 1 || !reads_and_writes(**a, 'a')) return 3;
    auto b = FileDisk::create(second, surroundings);
    if (!b || rings.count() != 0 || !reads_and_writes(**b, 'b')) return 4;
    auto third = FileDisk::create(second, surroundings);
    if (!third || !reads_and_writes(**third, 'b')) return 5;
    a->reset();
    if (rings.count() != 1) return 6;
    b->reset();
    third->reset();
    if (rings.count() != 2) return 7;
  }
  return 0;
}

TEST_F(SpareRingsTest, ServeDisksThatAreAddedToAConfinedMonitor) {
  auto first = disk_of('a'), second = disk_of('b');
  first.cache = second.cache = DiskCache::Writeback;
  first.queue_size = 1024;  // more than fit into the submission queue
  second.shareable = true;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(add_disks_confined(first, second));
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SpareRingsTest, AreNotTakenByADiskThatWantsThreads) {
  auto config = disk_of('a');
  config.io = DiskIo::Threads;
  config.cache = DiskCache::Writeback;
  SpareRings rings(1);
  DiskSurroundings surroundings;
  surroundings.rings = &rings;
  EXPECT_TRUE(FileDisk::create(config, surroundings));
  EXPECT_EQ(rings.count(), 1U);
}

}  // namespace
}  // namespace virttdx
