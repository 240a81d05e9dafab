// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmm_backend/storage_daemon.h"

namespace virttdx {

bool needs_storage_daemon(const DiskConfig& config) {
  if (!config.source) return false;
  const auto protocol = config.source->protocol;
  const bool is_local = protocol == DiskProtocol::File || protocol == DiskProtocol::Block;
  return config.format != ImageFormat::Raw || !is_local || config.source->luks_passphrase_file ||
         config.detect_zeroes != DetectZeroes::Off;
}

}  // namespace virttdx
