// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "devices/virtio_blk/block_backend.h"
#include "support/result.h"
#include "support/unique_fd.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// An image file or block device, open and locked.
struct DiskFile {
  UniqueFd fd;
  /// Another open file description of the image, which holds its locks: a ring keeps `fd`'s alive for a while
  /// after both are closed, and the locks with it.
  UniqueFd lock;
  BlockBackend::Properties properties;
  bool direct = false;          ///< O_DIRECT
  std::uint32_t alignment = 1;  ///< of memory, offsets and sizes, when direct
  bool ignores_flush = false;   ///< cache mode "unsafe"
};

/// Opens what `config` names: raw images only. Errors name the disk, its path and the remedy: not there, no
/// permission, in use by another program (the locks are QEMU's, so that its tools see them too), not a file
/// nor a block device, no O_DIRECT, a size or alignment that the configured block size does not fit.
Result<DiskFile> open_disk_file(const DiskConfig& config);

}  // namespace virttdx
