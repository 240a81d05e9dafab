// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "devices/virtio_blk/block_backend.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// A disk with its statistics.
class DiskDevice : public BlockBackend {
 public:
  virtual DiskStatistics statistics() const = 0;
};

}  // namespace virttdx
