// SPDX-License-Identifier: GPL-2.0-or-later
// CPU maps, which a check would otherwise read anew: a hundred files.
#pragma once

#include <filesystem>
#include <memory>

#include "cpu/cpu_model_map.h"

namespace virttdx::domain_xml {

using SharedCpuModelMap = std::shared_ptr<const CpuModelMap>;

/// What CpuModelMap::load() and load_features() give, kept for the process and read again once any of its
/// files has changed (device, inode, size, time). Errors are not kept. Any thread.
Result<SharedCpuModelMap> cpu_model_map(const std::filesystem::path& features_file);
Result<SharedCpuModelMap> cpu_feature_map(const std::filesystem::path& features_file);

}  // namespace virttdx::domain_xml
