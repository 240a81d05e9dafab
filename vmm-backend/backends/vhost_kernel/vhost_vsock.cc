// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_kernel/vhost_vsock.h"

#include <cerrno>

#include "backends/vhost_kernel/vhost_spec.h"
#include "devices/virtio_vsock/virtio_vsock_spec.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kQueues = 2;  // receive, transmit: events are the monitor's
// 0 to 2 have meanings, 0xFFFFFFFF is "any" (linux/vm_sockets.h).
constexpr std::uint32_t kFirstCid = 3, kLastCid = 0xFFFFFFFE;

Result<> take_cid(const VhostDevice& device, std::uint64_t cid) {
  return device.command(VHOST_VSOCK_SET_GUEST_CID, &cid, "VHOST_VSOCK_SET_GUEST_CID");
}

Result<std::uint32_t> take_first_cid(const VhostDevice& device, const std::string& owner) {
  for (std::uint32_t cid = kFirstCid; cid < kLastCid; ++cid) {
    const auto taken = take_cid(device, cid);
    if (taken) return cid;
    if (taken.error().system_errno() != EADDRINUSE) return tl::unexpected(taken.error());
  }
  return fail(Error::Code::Busy, "{}: all context ids of the host are taken", owner);
}

Result<std::uint32_t> take_cid_of(const VsockConfig& config, const VhostDevice& device,
                                  const std::string& owner) {
  if (config.guest_cid == 0) return take_first_cid(device, owner);
  const auto taken = take_cid(device, config.guest_cid);
  if (taken) return config.guest_cid;
  if (taken.error().system_errno() != EADDRINUSE) return tl::unexpected(taken.error());
  return fail_errno(EADDRINUSE,
                    "{}: another guest of the host has context id {}; choose another one or <cid "
                    "auto='yes'/>",
                    owner, config.guest_cid);
}

}  // namespace

Result<std::unique_ptr<VhostVsock>> VhostVsock::create(const VsockConfig& config) {
  const std::string owner = fmt::format("vsock '{}'", config.id);
  VhostDevice device = TRY(VhostDevice::open("/dev/vhost-vsock", owner));
  const auto cid = TRY(take_cid_of(config, device, owner));
  auto queues = TRY(
      VhostOffload::create(std::move(device), config.id, kQueues, [](const VhostDevice& vsock, bool active) {
        const int running = active ? 1 : 0;
        return vsock.command(VHOST_VSOCK_SET_RUNNING, &running, "VHOST_VSOCK_SET_RUNNING");
      }));
  return std::unique_ptr<VhostVsock>(new VhostVsock(std::move(queues), cid));
}

VsockOffload VhostVsock::offload() const {
  return {.queues = queues_.get(),
          .guest_cid = guest_cid_,
          .features = queues_->device().features() & virtio_vsock_spec::kFeatureSequencedPackets};
}

}  // namespace virttdx
