// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "devices/virtio/queue_offload.h"
#include "devices/virtio/virtio_device.h"

namespace virttdx {

/// Who serves a socket device in the monitor's place. `queues` is nullptr when nobody does.
struct VsockOffload {
  QueueOffload* queues = nullptr;  ///< receive and transmit
  std::uint32_t guest_cid = 0;
  std::uint64_t features = 0;  ///< virtio_vsock_spec::kFeature...
};

/// A virtio socket device that reaches AF_VSOCK of the host, by the kernel's vhost. Not emulated: events (a
/// TD does not migrate).
class OffloadedVsock final : public VirtioDevice {
 public:
  explicit OffloadedVsock(const VsockOffload& offload) : offload_(offload) {}
  ~OffloadedVsock() override { stop(); }

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override;
  std::uint64_t features() const override { return offload_.features; }
  std::vector<std::uint16_t> queue_sizes() const override;
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  int doorbell(std::size_t queue) const override;
  int call(std::size_t queue) const override;
  void start(const VirtioSession& session) override;
  void stop() override { offload_.queues->stop(); }

 private:
  const VsockOffload offload_;
};

}  // namespace virttdx
