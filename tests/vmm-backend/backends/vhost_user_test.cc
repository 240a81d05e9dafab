// SPDX-License-Identifier: GPL-2.0-or-later
// Disks behind vhost-user, with a back end in this process.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

#include "backends/storage_daemon/daemon_disk.h"
#include "backends/vhost_user/vhost_user_spec.h"
#include "devices/virtio/virtio_spec.h"
#include "devices/virtio_blk/virtio_blk_spec.h"
#include "disk_client.h"
#include "fake_vhost_user.h"

namespace virttdx::test {
namespace {

using namespace vhost_user_spec;
using namespace virtio_blk_spec;
using Kind = BlockOperation::Kind;

constexpr std::size_t kSize = 1 << 20;
using Types = std::vector<std::uint32_t>;

struct AVhostUserDisk : testing::Test {
  AVhostUserDisk() {
    config.id = "virtio-disk0";
    config.target = "vda";
    config.source.emplace().path = "/image";
    config.queue_size = 64;
  }
  ~AVhostUserDisk() override { client.reset(); }
  Result<std::unique_ptr<DaemonDisk>> make(FakeVhostUser::Behaviour behaviour) {
    back_end = std::make_unique<FakeVhostUser>(kSize, std::move(behaviour));
    return DaemonDisk::create_on(config, {.disk = back_end->take_socket()});
  }
  void open(FakeVhostUser::Behaviour behaviour = {}) {
    auto made = make(std::move(behaviour));
    ASSERT_TRUE(made) << made.error().message();
    disk = std::move(*made);
    ASSERT_TRUE(disk->use_memory(files));
    client = std::make_unique<DiskClient>(disk->queue(0));
  }
  std::string error_of(FakeVhostUser::Behaviour behaviour) {
    const auto made = make(std::move(behaviour));
    return made ? "none" : made.error().message();
  }
  /// Guest memory that the back end is given.
  iovec guest_bytes(std::size_t offset, std::size_t size, char fill) {
    const auto bytes = memory->bytes().subspan(offset, size);
    std::ranges::fill(bytes, static_cast<std::byte>(fill));
    return {bytes.data(), size};
  }
  static std::string text(const iovec& buffer) {
    return {static_cast<const char*>(buffer.iov_base), buffer.iov_len};
  }
  int transfer(Kind kind, std::uint64_t offset, std::vector<iovec> buffers, bool durable = false) {
    std::uint64_t size = 0;
    for (const iovec& buffer : buffers) size += buffer.iov_len;
    return client->run(
        {{.kind = kind, .durable = durable, .offset = offset, .size = size, .buffers = buffers}});
  }
  std::optional<MemoryFile> memory = std::move(*MemoryFile::create("guest", 1 << 20));
  std::vector<DmaFile> files = {{memory->bytes(), memory->fd(), 0}};
  DiskConfig config;
  std::unique_ptr<FakeVhostUser> back_end;
  std::unique_ptr<DaemonDisk> disk;
  std::unique_ptr<DiskClient> client;
};

TEST_F(AVhostUserDisk, ReadsAndWritesTheGuestsBuffersInPlace) {
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(transfer(Kind::Write, 4096, {guest_bytes(0, 512, 'a'), guest_bytes(8192, 1024, 'b')}), 0);
  EXPECT_EQ(std::string(back_end->disk.data() + 4095, 1538),
            "x" + std::string(512, 'a') + std::string(1024, 'b') + "x");
  const auto first = guest_bytes(0, 1000, '?'), second = guest_bytes(5000, 536, '?');
  EXPECT_EQ(transfer(Kind::Read, 4096, {first, second}), 0);
  EXPECT_EQ(text(first) + text(second), std::string(512, 'a') + std::string(1024, 'b'));
  EXPECT_EQ(disk->statistics().read_requests, 1U);
  EXPECT_EQ(disk->statistics().write_bytes, 1536U);
}

TEST_F(AVhostUserDisk, TellsWhatTheBackEndCanDo) {
  config.discard = true;
  ASSERT_NO_FATAL_FAILURE(open({.segments = 30}));
  EXPECT_EQ(disk->properties().capacity, kSize);
  EXPECT_EQ(disk->properties().segments, 30U);
  EXPECT_EQ(disk->properties().range_maximum, 32 * 512U);
  EXPECT_TRUE(disk->properties().discard);
  EXPECT_EQ(back_end->accepted_features & virtio_spec::kFeatureAccessPlatform, 0U)
      << "the back end gets addresses of a table of memory, not of an IOMMU";
  EXPECT_EQ(transfer(Kind::Read, 0, std::vector(31, guest_bytes(0, 512, '?'))), EINVAL);
}

TEST_F(AVhostUserDisk, FillsItsQueueOverAndOver) {
  ASSERT_NO_FATAL_FAILURE(open());
  for (int round = 0; round < 5; ++round) {
    std::vector<iovec> buffers;
    std::vector<BlockOperation> operations;
    for (std::uint32_t i = 0; i < config.queue_size; ++i) buffers.push_back(guest_bytes(i * 512, 512, '?'));
    for (std::uint32_t i = 0; i < config.queue_size; ++i)
      operations.push_back(
          {.kind = Kind::Read, .offset = i * 512, .size = 512, .buffers = {&buffers[i], 1}, .token = i});
    EXPECT_EQ(client->run(operations), 0);
    EXPECT_EQ(text(buffers.back()), std::string(512, 'x'));
  }
}

TEST_F(AVhostUserDisk, FlushesBehindAWriteThatMustBeDurable) {
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(transfer(Kind::Write, 0, {guest_bytes(0, 512, 'a')}, true), 0);
  EXPECT_EQ(back_end->types, (Types{kTypeOut, kTypeFlush}));
  EXPECT_EQ(client->run({{.kind = Kind::WriteZeroes, .offset = 512, .size = 1024}}), 0);
  EXPECT_EQ(client->run({{.kind = Kind::Flush}}), 0);
  EXPECT_EQ(back_end->types, (Types{kTypeOut, kTypeFlush, kTypeWriteZeroes, kTypeFlush}));
  EXPECT_EQ(back_end->disk.at(512), '\0');
  EXPECT_EQ(back_end->disk.at(1536), 'x');
}

TEST_F(AVhostUserDisk, PassesErrorsOn) {
  ASSERT_NO_FATAL_FAILURE(open({.status = kStatusIoError}));
  EXPECT_EQ(transfer(Kind::Read, 0, {guest_bytes(0, 512, '?')}), EIO);
  EXPECT_EQ(disk->statistics().errors, 1U);
}

TEST_F(AVhostUserDisk, GoesOnWithTheMemoryOfANewTd) {
  ASSERT_NO_FATAL_FAILURE(open());
  EXPECT_EQ(transfer(Kind::Write, 0, {guest_bytes(0, 512, 'a')}), 0);
  client.reset();
  ASSERT_TRUE(disk->use_memory({}));
  EXPECT_EQ(back_end->memory_files, 1U) << "the old guest's memory is let go";
  memory.emplace(std::move(*MemoryFile::create("new", 1 << 20)));
  files = {{memory->bytes(), memory->fd(), 0}};
  ASSERT_TRUE(disk->use_memory(files));
  client = std::make_unique<DiskClient>(disk->queue(0));
  const auto buffer = guest_bytes(0, 512, '?');
  EXPECT_EQ(transfer(Kind::Read, 0, {buffer}), 0);
  EXPECT_EQ(text(buffer), std::string(512, 'a'));
  EXPECT_EQ(transfer(Kind::Read, 0, {buffer}), 0);
}

TEST_F(AVhostUserDisk, EndsRequestsWithErrorsWhenItsBackEndDies) {
  ASSERT_NO_FATAL_FAILURE(open({.is_stuck = true}));
  const iovec buffer = guest_bytes(0, 512, '?');
  client->begin({{.kind = Kind::Read, .size = 512, .buffers = {&buffer, 1}}});
  back_end->die();
  EXPECT_EQ(client->wait(1), EIO) << "under way";
  EXPECT_EQ(transfer(Kind::Read, 0, {buffer}), EIO) << "later";
  client.reset();
  EXPECT_TRUE(disk->use_memory(files)) << "a new TD runs without it";
  client = std::make_unique<DiskClient>(disk->queue(0));
  EXPECT_EQ(client->run({{.kind = Kind::Flush}}), EIO);
}

TEST_F(AVhostUserDisk, DoesNotFollowABackEndThatGivesBackWhatItHasNot) {
  ASSERT_NO_FATAL_FAILURE(open({.gives_back_nonsense = true}));
  EXPECT_EQ(transfer(Kind::Read, 0, {guest_bytes(0, 512, '?')}), EIO);
}

TEST_F(AVhostUserDisk, IsRefusedWithoutWhatItNeeds) {
  EXPECT_NE(error_of({.features = ~kFeatureFlush}).find("lacks features 0x200"), std::string::npos);
  EXPECT_NE(error_of({.protocol_features = kProtocolConfig}).find("lacks protocol features 0x9"),
            std::string::npos);
  config.queues = 5;
  EXPECT_NE(error_of({}).find("has 4 queues, not 5"), std::string::npos);
}

TEST_F(AVhostUserDisk, IsRefusedWhenItsBackEndEndsOrTalksNonsense) {
  for (const auto request : {Request::GetFeatures, Request::GetConfig, Request::SetMemTable}) {
    EXPECT_NE(error_of({.ends_at = request}).find("disk 'vda'"), std::string::npos);
    EXPECT_NE(error_of({.answers_badly_at = request}).find("of 3 bytes"), std::string::npos);
  }
}

}  // namespace
}  // namespace virttdx::test
