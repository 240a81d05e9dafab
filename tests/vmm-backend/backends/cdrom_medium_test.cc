// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/cdrom_medium.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "backends/file_disk.h"
#include "backends/storage_daemon/daemon_disk.h"

namespace virttdx::test {
namespace {

/// Byte n of the image is n / 2048.
constexpr std::size_t kImageSize = 300 * 2048;

struct ACdrom : testing::Test {
  ACdrom() {
    std::filesystem::create_directories(directory);
    std::ofstream image(path("image"), std::ios::binary);
    for (std::size_t i = 0; i < kImageSize; ++i) image.put(static_cast<char>(i / 2048));
  }
  ~ACdrom() override {
    medium.reset();
    std::filesystem::remove_all(directory);
  }
  std::string path(const std::string& name) { return (directory / name).string(); }
  DiskConfig config(const std::string& name) {
    DiskConfig config;
    config.id = config.target = "sda";
    config.source.emplace().path = path(name);
    return disk_of_cdrom(config);
  }
  template <typename Disk>
  void open(const DiskConfig& config) {
    auto disk = Disk::create(config);
    ASSERT_TRUE(disk) << disk.error().message();
    auto created = CdromMedium::create(*std::move(disk));
    ASSERT_TRUE(created) << created.error().message();
    medium = *std::move(created);
  }
  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("cdrom-" + std::to_string(::getpid()));
  std::unique_ptr<CdromMedium> medium;
};

/// Reads into buffers of no round sizes, more than one piece of the medium's memory.
void expect_the_image(CdromMedium& medium) {
  std::vector<char> bytes(299 * 2048);
  const iovec buffers[] = {{bytes.data(), 1000}, {bytes.data() + 1000, bytes.size() - 1000}};
  ASSERT_EQ(medium.read(2048, buffers), 0);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    ASSERT_EQ(bytes[i], static_cast<char>((i + 2048) / 2048)) << i;
  EXPECT_EQ(medium.statistics().read_bytes, bytes.size());
}

TEST_F(ACdrom, ReadsARawFile) {
  ASSERT_NO_FATAL_FAILURE(open<FileDisk>(config("image")));
  EXPECT_EQ(medium->size(), kImageSize);
  expect_the_image(*medium);
}

TEST_F(ACdrom, ReadsWhatAStorageDaemonServes) {
  for (const char* program : {"qemu-storage-daemon", "qemu-img"})
    if (!find_program(program))
      GTEST_SKIP() << program << " is absent: install qemu-system-common and qemu-utils";
  ASSERT_EQ(
      ::system(("qemu-img convert -f raw -O qcow2 " + path("image") + " " + path("image.qcow2")).c_str()), 0);
  auto qcow2 = config("image.qcow2");
  qcow2.format = ImageFormat::Qcow2;
  ASSERT_NO_FATAL_FAILURE(open<DaemonDisk>(qcow2));
  EXPECT_EQ(medium->size(), kImageSize);
  expect_the_image(*medium);
}

TEST_F(ACdrom, IsADiskThatIsOnlyRead) {
  DiskConfig written;
  written.queues = 4;
  written.cache = DiskCache::None;
  written.io = DiskIo::Native;
  written.detect_zeroes = DetectZeroes::On;
  written.limits.read_bytes.per_second = 1;
  written.on_read_error = DiskErrorPolicy::Stop;
  const auto disk = disk_of_cdrom(written);
  EXPECT_TRUE(disk.read_only);
  EXPECT_EQ(disk.queues, 1);
  EXPECT_EQ(disk.cache, DiskCache::Writeback);
  EXPECT_EQ(disk.io, DiskIo::Threads);
  EXPECT_EQ(disk.detect_zeroes, DetectZeroes::Off);
  EXPECT_EQ(disk.limits, DiskLimits());
  EXPECT_EQ(disk.on_read_error, DiskErrorPolicy::Report);
}

/// Carries out what it is given when it is told to.
class LateEngine final : public DiskEngine {
 public:
  explicit LateEngine(int event) : event_(event) {}
  int event() const override { return event_; }
  void submit(const BlockOperation& operation) override { operation_ = operation; }
  void flush() override {}
  void reap(std::vector<BlockCompletion>& done, bool) override {
    eventfd_t count = 0;
    if (!operation_ || ::eventfd_read(event_, &count) != 0) return;
    std::memset(operation_->buffers[0].iov_base, 'a', operation_->buffers[0].iov_len);
    done.push_back({operation_->token, 0});
    operation_.reset();
  }
  std::size_t in_flight() const override { return operation_ ? 1 : 0; }

 private:
  const int event_;
  std::optional<BlockOperation> operation_;
};

class LateDisk final : public QueuedDisk {
 public:
  explicit LateDisk(int event) : QueuedDisk(DiskConfig(), {}) {
    set_capacity(kImageSize);
    EXPECT_TRUE(add_queue(16, std::make_unique<LateEngine>(event)));
  }
  ~LateDisk() override { end_queues(); }
  const Properties& properties() const override { return properties_; }

 private:
  std::optional<struct stat> image_status() const override { return std::nullopt; }
  Result<std::uint64_t> resize_image(std::uint64_t bytes) override { return bytes; }
  const Properties properties_;
};

TEST(ALateCdrom, IsNotWaitedForAndReadsAgainWhenItHasComeBack) {
  const UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const auto medium =
      *CdromMedium::create(std::make_unique<LateDisk>(event.get()), std::chrono::milliseconds(0));
  std::string bytes(2048, 'b');
  const iovec buffer{bytes.data(), bytes.size()};
  EXPECT_EQ(medium->read(0, {&buffer, 1}), ETIMEDOUT);
  EXPECT_EQ(medium->read(0, {&buffer, 1}), ETIMEDOUT) << "what it was asked before is not done";
  EXPECT_EQ(bytes, std::string(2048, 'b'));
  ::eventfd_write(event.get(), 1);
  while (medium->statistics().read_requests == 0) ::usleep(1000);
  // The next one is late too, but it is begun: the one before is over.
  while (medium->statistics().read_requests == 1) {
    medium->read(0, {&buffer, 1});
    ::eventfd_write(event.get(), 1);
  }
}

}  // namespace
}  // namespace virttdx::test
