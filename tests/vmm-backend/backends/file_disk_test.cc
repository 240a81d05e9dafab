// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/file_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "backends/file_ring.h"
#include "disk_client.h"

namespace virttdx {
namespace {

using Kind = BlockOperation::Kind;

constexpr std::size_t kSize = 1 << 20;

using Client = test::DiskClient;

struct FileDiskTest : testing::TestWithParam<DiskIo> {
  FileDiskTest() {
    std::filesystem::create_directories(directory);
    std::ofstream(image).write(std::string(kSize, 'x').data(), kSize);
    config.id = "virtio-disk0";
    config.target = "vda";
    config.source.emplace().path = image.string();
    config.io = GetParam();
  }
  ~FileDiskTest() override { std::filesystem::remove_all(directory); }
  void open() {
    auto made = FileDisk::create(config, surroundings());
    ASSERT_TRUE(made) << made.error().message();
    disk = std::move(*made);
    client = std::make_unique<Client>(disk->queue(0));
  }
  // Native stands for the ring of a disk that is added.
  DiskSurroundings surroundings() {
    DiskSurroundings surroundings;
    if (GetParam() == DiskIo::Native) surroundings.rings = &rings;
    return surroundings;
  }
  std::string open_error() {
    auto made = FileDisk::create(config, surroundings());
    return made ? "none" : made.error().message();
  }
  std::string content(std::size_t offset, std::size_t size) {
    std::string text(size, '?');
    std::ifstream file(image, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(text.data(), static_cast<std::streamsize>(size));
    return text;
  }
  int transfer(Kind kind, std::uint64_t offset, std::vector<iovec> buffers) {
    std::uint64_t size = 0;
    for (const iovec& buffer : buffers) size += buffer.iov_len;
    return client->run({{.kind = kind, .offset = offset, .size = size, .buffers = buffers}});
  }
  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("file-disk-" + std::to_string(::getpid()));
  std::filesystem::path image = directory / "image";
  DiskConfig config;
  SpareRings rings{GetParam() == DiskIo::Native ? 1U : 0U};
  std::unique_ptr<FileDisk> disk;
  std::unique_ptr<Client> client;
};

TEST_P(FileDiskTest, ReadsAndWritesSeveralBuffers) {
  open();
  std::string first(512, 'a'), second(1024, 'b');
  EXPECT_EQ(transfer(Kind::Write, 4096, {{first.data(), 512}, {second.data(), 1024}}), 0);
  EXPECT_EQ(content(4095, 1538), "x" + first + second + "x");
  std::string read(1536, '?');
  EXPECT_EQ(transfer(Kind::Read, 4096, {{read.data(), 1000}, {read.data() + 1000, 536}}), 0);
  EXPECT_EQ(read, first + second);
}

TEST_P(FileDiskTest, HasManyOperationsInFlight) {
  open();
  std::string data(256 * 512, '?');
  std::vector<iovec> buffers;
  std::vector<BlockOperation> operations;
  for (std::uint32_t i = 0; i < 256; ++i) buffers.push_back({data.data() + i * 512, 512});
  for (std::uint32_t i = 0; i < 256; ++i)
    operations.push_back(
        {.kind = Kind::Read, .offset = i * 512, .size = 512, .buffers = {&buffers[i], 1}, .token = i});
  EXPECT_EQ(client->run(operations), 0);
  EXPECT_EQ(data, std::string(256 * 512, 'x'));
  EXPECT_EQ(disk->statistics().read_requests, 256U);
  EXPECT_EQ(disk->statistics().read_bytes, 256U * 512);
}

TEST_P(FileDiskTest, FlushesDiscardsAndZeroes) {
  config.discard = true;
  open();
  EXPECT_EQ(client->run({{.kind = Kind::Flush}}), 0);
  EXPECT_EQ(client->run({{.kind = Kind::WriteZeroes, .offset = 512, .size = 1024}}), 0);
  EXPECT_EQ(content(511, 1026), "x" + std::string(1024, '\0') + "x");
  EXPECT_EQ(
      client->run(
          {{.kind = Kind::WriteZeroes, .durable = true, .may_unmap = true, .offset = 4096, .size = 65536}}),
      0);
  EXPECT_EQ(content(4096, 65536), std::string(65536, '\0'));
  EXPECT_EQ(client->run({{.kind = Kind::Discard, .offset = 131072, .size = 4096}}), 0);
  const DiskStatistics statistics = disk->statistics();
  EXPECT_EQ(statistics.flush_requests, 1U);
  EXPECT_EQ(statistics.write_zeroes_requests, 2U);
  EXPECT_EQ(statistics.discard_requests, 1U);
}

TEST_P(FileDiskTest, TheRestOfASectorBehindTheFilesEndReadsAsZeros) {
  std::filesystem::resize_file(image, 1000);
  open();
  EXPECT_EQ(disk->properties().capacity, 1024U);
  std::string read(1024, '?');
  EXPECT_EQ(transfer(Kind::Read, 0, {{read.data(), 1024}}), 0);
  EXPECT_EQ(read, std::string(1000, 'x') + std::string(24, '\0'));
}

// Files of this process end at 64 KiB: as a full file system does, the kernel refuses to write.
TEST_P(FileDiskTest, AWriteThatTheFileSystemRefusesIsAnErrorOfTheRequest) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{65536, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  open();
  std::string data(512, 'y');
  EXPECT_EQ(transfer(Kind::Write, 131072, {{data.data(), 512}}), EFBIG);
  EXPECT_EQ(transfer(Kind::Write, 0, {{data.data(), 512}}), 0);
  EXPECT_EQ(transfer(Kind::Read, 131072, {{data.data(), 512}}), 0);
  EXPECT_EQ(disk->statistics().errors, 1U);
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

// A file system of 64 KiB, for a sparse image of 1 MiB.
TEST_P(FileDiskTest, AFullFileSystemIsAnErrorOfTheRequestUntilThereIsRoomAgain) {
  const auto full = directory / "full";
  std::filesystem::create_directory(full);
  if (::mount("none", full.c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "a tmpfs cannot be mounted: " << std::strerror(errno);
  image = full / "image";
  std::ofstream(image).close();
  std::filesystem::resize_file(image, kSize);
  std::ofstream(full / "other") << std::string(32768, 'o');
  config.source->path = image.string();
  config.on_write_error = DiskErrorPolicy::Report;
  open();
  std::string data(49152, 'y');
  EXPECT_EQ(transfer(Kind::Write, 131072, {{data.data(), data.size()}}), ENOSPC);
  EXPECT_EQ(disk->statistics().errors, 1U);
  std::filesystem::remove(full / "other");
  EXPECT_EQ(transfer(Kind::Write, 131072, {{data.data(), data.size()}}), 0);
  EXPECT_EQ(transfer(Kind::Flush, 0, {}), 0);
  EXPECT_EQ(content(131072, data.size()), data);
  client.reset();
  disk.reset();
  EXPECT_EQ(::umount2(full.c_str(), MNT_DETACH), 0);
}

// As QEMU's raw images: what is gone reads as zeros, and a write makes the file longer.
TEST_P(FileDiskTest, GrowsWithItsImage) {
  open();
  ASSERT_TRUE(disk->resize(2 * kSize));
  EXPECT_EQ(disk->capacity(), 2 * kSize);
  EXPECT_EQ(std::filesystem::file_size(image), 2 * kSize);
  EXPECT_EQ(disk->statistics().capacity, 2 * kSize);
  std::string bytes(512, 'a');
  EXPECT_EQ(transfer(Kind::Write, 2 * kSize - 512, {{bytes.data(), 512}}), 0);
  EXPECT_EQ(disk->resize(0).error().message(),
            "disk 'vda': 0 bytes are no whole number of blocks of 512 bytes");
  EXPECT_FALSE(disk->resize(1ULL << 63));
  EXPECT_EQ(disk->capacity(), 2 * kSize);
}

TEST_P(FileDiskTest, AFileThatWasTruncatedReadsAsZerosAndGrowsAgain) {
  open();
  std::filesystem::resize_file(image, 4096);
  std::string read(8192, '?');
  EXPECT_EQ(transfer(Kind::Read, 0, {{read.data(), read.size()}}), 0);
  EXPECT_EQ(read, std::string(4096, 'x') + std::string(4096, '\0'));
  std::string data(512, 'y');
  EXPECT_EQ(transfer(Kind::Write, 65536, {{data.data(), data.size()}}), 0);
  EXPECT_EQ(content(65536, data.size()), data);
  EXPECT_EQ(disk->statistics().errors, 0U);
}

TEST_P(FileDiskTest, AFileThatWasRemovedIsStillTheDisk) {
  open();
  std::filesystem::remove(image);
  std::string data(512, 'y');
  EXPECT_EQ(transfer(Kind::Write, 0, {{data.data(), 512}}), 0);
  std::string read(512, '?');
  EXPECT_EQ(transfer(Kind::Read, 0, {{read.data(), 512}}), 0);
  EXPECT_EQ(read, data);
}

TEST_P(FileDiskTest, AReadOnlyDiskOpensAFileThatNobodyMayWrite) {
  ::chmod(image.c_str(), 0400);
  config.read_only = true;
  open();
  std::string data(512, 'y');
  EXPECT_NE(transfer(Kind::Write, 0, {{data.data(), 512}}), 0);
  EXPECT_EQ(disk->statistics().errors, 1U);
}

TEST_P(FileDiskTest, AChangeOfClientWaitsForWhatIsInFlight) {
  open();
  for (int round = 0; round < 50; ++round) {
    std::string read(65536, '?');
    client = nullptr;
    client = std::make_unique<Client>(disk->queue(0));
    EXPECT_EQ(transfer(Kind::Read, 0, {{read.data(), read.size()}}), 0);
  }
}

TEST_P(FileDiskTest, DirectIoTakesBuffersThatAreNotAligned) {
  config.cache = DiskCache::None;
  if (const int fd = ::open(image.c_str(), O_RDWR | O_DIRECT); fd < 0)
    GTEST_SKIP() << "the file system of temporary files has no O_DIRECT";
  else
    ::close(fd);
  if (open_error() != "none") GTEST_SKIP() << open_error();
  open();
  std::string data(4096 + 1, 'd');
  EXPECT_EQ(transfer(Kind::Write, 8192, {{data.data() + 1, 1024}, {data.data() + 1025, 3072}}), 0);
  EXPECT_EQ(content(8191, 4098), "x" + std::string(4096, 'd') + "x");
  std::string read(4096 + 1, '?');
  EXPECT_EQ(transfer(Kind::Read, 8192, {{read.data() + 1, 4096}}), 0);
  EXPECT_EQ(read.substr(1), std::string(4096, 'd'));
}

TEST_P(FileDiskTest, RefusesWhatIsNoDisk) {
  config.source->path = (directory / "absent").string();
  EXPECT_EQ(open_error(), "disk 'vda': cannot open '" + config.source->path + "': No such file or directory");
  config.source->path = "/dev/null";
  EXPECT_EQ(open_error(), "disk 'vda': '/dev/null' is neither a file nor a block device");
  config.source->path = image.string();
  std::filesystem::resize_file(image, 0);
  EXPECT_EQ(open_error(), "disk 'vda': '" + image.string() + "' is empty");
  std::filesystem::resize_file(image, 4096 + 512);
  config.logical_block_size = 4096;
  EXPECT_EQ(open_error(), "disk 'vda': 4608 bytes are not a multiple of its block size 4096");
}

TEST_P(FileDiskTest, AnImageIsForOneWriterUnlessItIsShared) {
  open();
  EXPECT_EQ(open_error(),
            "disk 'vda': '" + image.string() +
                "' is in use by another program; end it, or make the disk shareable or read-only");
  config.read_only = true;
  EXPECT_NE(open_error(), "none");
  client = nullptr;
  disk = nullptr;
  open();
  EXPECT_EQ(open_error(), "none");  // two readers
  client = nullptr;
  disk = nullptr;
  config.read_only = false;
  config.shareable = true;
  open();
  EXPECT_EQ(open_error(), "none");
}

TEST_P(FileDiskTest, QemusToolsDoNotWriteToADiskInUse) {
  if (::access("/usr/bin/qemu-io", X_OK) != 0) GTEST_SKIP() << "qemu-io is absent: install qemu-utils";
  const std::string command = "qemu-io -f raw -c 'write 0 512' " + image.string() + " >/dev/null 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  open();
  EXPECT_NE(std::system(command.c_str()), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, FileDiskTest,
                         testing::Values(DiskIo::IoUring, DiskIo::Native, DiskIo::Threads),
                         [](const auto& information) {
                           if (information.param == DiskIo::Native) return "SpareRing";
                           return information.param == DiskIo::IoUring ? "IoUring" : "Threads";
                         });

}  // namespace
}  // namespace virttdx
