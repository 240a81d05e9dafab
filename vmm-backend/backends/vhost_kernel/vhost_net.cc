// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_kernel/vhost_net.h"

#include <unistd.h>

#include <array>

#include "backends/vhost_kernel/vhost_spec.h"
#include "devices/virtio_net/virtio_net_spec.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kQueues = 2;  // receive, transmit

// What came while nobody took it is lost, as without the kernel's help. So much is there at most.
constexpr unsigned kPacketsMaximum = 65536;

void drain(int tap) {
  std::array<std::byte, virtio_net_spec::kPacketMaximum> packet;
  for (unsigned i = 0; i < kPacketsMaximum; ++i)
    if (::read(tap, packet.data(), packet.size()) <= 0) return;
}

// A queue without a device on its other side rests.
Result<> connect_queues(const VhostDevice& device, int tap) {
  for (std::uint32_t index = 0; index < kQueues; ++index) {
    const vhost_vring_file backend{.index = index, .fd = tap};
    TRY(device.command(VHOST_NET_SET_BACKEND, &backend, "VHOST_NET_SET_BACKEND"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<VhostOffload>> create_vhost_net(const std::string& name, int tap) {
  const std::string owner = fmt::format("interface '{}'", name);
  VhostDevice device = TRY(VhostDevice::open("/dev/vhost-net", owner));
  if ((device.features() & virtio_net_spec::kFeatureMergeableBuffers) == 0)
    return fail(Error::Code::ConfigUnsupported, "{}: the kernel's vhost-net has no mergeable buffers", owner);
  return VhostOffload::create(std::move(device), name, kQueues, [tap](const VhostDevice& net, bool active) {
    if (active) drain(tap);
    return connect_queues(net, active ? tap : -1);
  });
}

}  // namespace virttdx
