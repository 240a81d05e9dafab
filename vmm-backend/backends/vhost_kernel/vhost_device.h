// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "backends/vhost_queue.h"
#include "bus/dma.h"
#include "support/result.h"
#include "support/unique_fd.h"

namespace virttdx {

/// One of the kernel's vhost devices, and this process its owner (linux/vhost.h). Guest addresses are those
/// of the memory that the guest shares: VIRTIO_F_ACCESS_PLATFORM, which would ask for their translation, is
/// not passed on. One thread at a time.
class VhostDevice {
 public:
  /// `path`: "/dev/vhost-net". `name`: the device's, for messages. Errors: those of open(2) with their errno
  /// (there is none, or it may not be used); ConfigUnsupported: it lacks something that it must have.
  static Result<VhostDevice> open(const std::string& path, const std::string& name);

  int fd() const { return fd_.get(); }
  /// What it offers.
  std::uint64_t features() const { return features_; }
  Result<> set_memory(std::span<const DmaFile> files);
  /// Those of `features` that it knows.
  Result<> set_features(std::uint64_t features);
  /// Describes a queue that is new: nothing in it has been used.
  Result<> set_queue(std::uint32_t index, const VhostQueue& queue);
  /// An ioctl of the device's kind, for whose failure `name` stands.
  Result<> command(unsigned long request, const void* argument, const char* name) const;

 private:
  VhostDevice(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  UniqueFd fd_;
  std::string name_;
  std::uint64_t features_ = 0;
};

}  // namespace virttdx
