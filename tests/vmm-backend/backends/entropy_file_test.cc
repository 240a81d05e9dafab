// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/entropy_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "stepped_task.h"

namespace virttdx {
namespace {

TEST(EntropyFile, ReadsTheHostsFile) {
  RngConfig config;
  config.id = "rng0";
  auto source = EntropyFile::create(config).value();
  std::array<std::byte, 64> bytes{};
  test::SteppedTask(source->worker()).run_until([&] { return source->read(bytes) == bytes.size(); });
  EXPECT_NE(bytes, (std::array<std::byte, 64>{}));
}

TEST(EntropyFile, GivesNoMoreThanItsRate) {
  RngConfig config;
  config.id = "rng0";
  config.source = "/dev/zero";
  config.bytes_per_period = 16;
  config.period_milliseconds = 5;
  auto source = EntropyFile::create(config).value();
  std::array<std::byte, 64> bytes{};
  std::size_t periods = 0;
  // Each wake-up is a new period: the timer's.
  test::SteppedTask(source->worker()).run_until([&] {
    std::size_t in_period = 0;
    while (const std::size_t count = source->read(bytes)) in_period += count;
    EXPECT_LE(in_period, 32U);  // a period may end meanwhile
    return ++periods == 3;
  });
}

TEST(EntropyFile, WaitsForAFileThatHasNothingYet) {
  const auto path = std::filesystem::temp_directory_path() / ("entropy-" + std::to_string(::getpid()));
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const UniqueFd writer(::open(path.c_str(), O_RDWR | O_NONBLOCK));
  RngConfig config;
  config.id = "rng0";
  config.source = path.string();
  auto source = EntropyFile::create(config).value();
  std::array<std::byte, 8> bytes{};
  bool is_asked = false;
  test::SteppedTask task(source->worker());
  task.run_until([&] { return is_asked = source->read(bytes) == 0; });
  ASSERT_EQ(::write(writer.get(), "entropy", 7), 7);
  task.run_until([&] { return source->read(bytes) == 7; });
  std::filesystem::remove(path);
}

TEST(EntropyFile, NamesAFileThatIsNotThere) {
  RngConfig config;
  config.id = "rng0";
  config.source = "/nonexistent";
  const auto refused = EntropyFile::create(config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "entropy device 'rng0': cannot open '/nonexistent': No such file or directory");
}

}  // namespace
}  // namespace virttdx
