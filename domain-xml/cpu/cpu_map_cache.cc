// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpu/cpu_map_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

namespace virttdx::domain_xml {
namespace {

struct Stamp {
  std::filesystem::path file;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;
  bool operator==(const Stamp&) const = default;
};

// Of a file that is not there: zeros.
Stamp stamp_of(const std::filesystem::path& file) {
  struct stat status = {};
  if (stat(file.c_str(), &status) != 0) return {.file = file};
  return {file, status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

class Cache {
 public:
  explicit Cache(Result<CpuModelMap> (*load)(const std::filesystem::path&)) : load_(load) {}

  Result<SharedCpuModelMap> get(const std::filesystem::path& features_file) {
    const std::lock_guard lock(mutex_);
    auto& kept = kept_[features_file];
    if (kept.map != nullptr && std::ranges::all_of(kept.stamps, is_current)) return kept.map;
    kept = {};
    auto map = TRY(load_(features_file));
    for (const auto& file : map.files()) kept.stamps.push_back(stamp_of(file));
    kept.map = std::make_shared<const CpuModelMap>(std::move(map));
    return kept.map;
  }

 private:
  struct Kept {
    SharedCpuModelMap map;
    std::vector<Stamp> stamps;
  };
  static bool is_current(const Stamp& stamp) { return stamp == stamp_of(stamp.file); }

  Result<CpuModelMap> (*load_)(const std::filesystem::path&);
  std::mutex mutex_;
  std::map<std::filesystem::path, Kept> kept_;
};

}  // namespace

Result<SharedCpuModelMap> cpu_model_map(const std::filesystem::path& features_file) {
  static Cache cache(CpuModelMap::load);
  return cache.get(features_file);
}

Result<SharedCpuModelMap> cpu_feature_map(const std::filesystem::path& features_file) {
  static Cache cache(CpuModelMap::load_features);
  return cache.get(features_file);
}

}  // namespace virttdx::domain_xml
