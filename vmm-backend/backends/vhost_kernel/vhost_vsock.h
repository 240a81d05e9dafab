// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "backends/vhost_kernel/vhost_offload.h"
#include "devices/virtio_vsock/offloaded_vsock.h"
#include "vmm_backend/device_config.h"

namespace virttdx {

/// The kernel's side of a socket device: AF_VSOCK of the host.
class VhostVsock {
 public:
  /// Takes the guest's context id on this host: that of the configuration, or the first free one. Errors:
  /// VhostDevice::open(); EADDRINUSE: another guest has it.
  static Result<std::unique_ptr<VhostVsock>> create(const VsockConfig& config);
  VsockOffload offload() const;

 private:
  VhostVsock(std::unique_ptr<VhostOffload> queues, std::uint32_t guest_cid)
      : queues_(std::move(queues)), guest_cid_(guest_cid) {}
  std::unique_ptr<VhostOffload> queues_;
  std::uint32_t guest_cid_;
};

}  // namespace virttdx
