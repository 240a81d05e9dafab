// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan/firmware_verdict.h"

#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "support/file.h"

namespace virttdx::domain_xml {
namespace {

// More than a host has; a client that names others makes all be read again.
constexpr std::size_t kKeptMaximum = 64;

using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>;

Result<Stamp> stamp_of(const std::filesystem::path& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return fail_errno(errno, "stat '{}'", path.native());
  return Stamp{status.st_dev,          status.st_ino,         status.st_size,        status.st_mtim.tv_sec,
               status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
}

Result<std::optional<UnusableFirmware>> read_and_examine(const std::filesystem::path& path) {
  const auto image = TRY(read_file(path, kTdvfMaximumSize));
  const auto tdvf = parse_tdvf(image);
  if (tdvf) return std::nullopt;
  return UnusableFirmware{diagnose_tdvf(image), tdvf.error().message()};
}

struct Kept {
  Stamp stamp;
  std::optional<UnusableFirmware> verdict;
};

}  // namespace

Result<std::optional<UnusableFirmware>> examine_firmware(const std::filesystem::path& path) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, Kept> kept;
  const std::lock_guard lock(mutex);
  const auto stamp = stamp_of(path);
  // Whatever keeps it from being looked at, reading says it better.
  if (!stamp) return read_and_examine(path);
  if (const auto found = kept.find(path); found != kept.end() && found->second.stamp == *stamp)
    return found->second.verdict;
  auto verdict = TRY(read_and_examine(path));
  if (kept.size() >= kKeptMaximum) kept.clear();
  kept.insert_or_assign(path, Kept{*stamp, verdict});
  return verdict;
}

}  // namespace virttdx::domain_xml
