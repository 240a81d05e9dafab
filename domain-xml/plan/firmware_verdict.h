// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a file is firmware for TDs: megabytes that every define would otherwise read anew.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "support/result.h"
#include "vmm_backend/tdvf.h"

namespace virttdx::domain_xml {

struct UnusableFirmware {
  TdvfDiagnosis diagnosis;
  std::string why;
};

/// Nothing: it can start a TD. Kept for the process until the file changes (device, inode, size, times).
/// Errors, which are not kept: the file cannot be read. Any thread.
Result<std::optional<UnusableFirmware>> examine_firmware(const std::filesystem::path& path);

}  // namespace virttdx::domain_xml
