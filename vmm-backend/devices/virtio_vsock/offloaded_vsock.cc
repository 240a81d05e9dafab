// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_vsock/offloaded_vsock.h"

#include <algorithm>
#include <array>

#include "devices/virtio/virtio_spec.h"
#include "devices/virtio_vsock/virtio_vsock_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_vsock_spec;

namespace {

constexpr std::size_t kOffloadedQueues = 2;  // receive, transmit

}  // namespace

std::uint16_t OffloadedVsock::type() const { return virtio_spec::kDeviceSocket; }
std::uint16_t OffloadedVsock::pci_class() const { return kPciClass; }

std::vector<std::uint16_t> OffloadedVsock::queue_sizes() const {
  return {kQueueSize, kQueueSize, kQueueSize};
}

void OffloadedVsock::read_config(std::size_t offset, std::span<std::byte> data) {
  std::array<std::byte, kConfigSize> config{};
  store_le<std::uint64_t>(config, kConfigGuestCid, offload_.guest_cid);
  read_structure(config, offset, data);
}

// Buffers for events wake somebody who finds nothing new.
int OffloadedVsock::doorbell(std::size_t queue) const {
  return offload_.queues->doorbell(std::min(queue, kOffloadedQueues - 1));
}

int OffloadedVsock::call(std::size_t queue) const {
  return queue < kOffloadedQueues ? offload_.queues->call(queue) : -1;
}

void OffloadedVsock::start(const VirtioSession& session) {
  auto started = offload_.queues->start(session.features, std::span(session.queues).first(kOffloadedQueues));
  if (started) started = offload_.queues->set_active(true);
  if (!started) session.fail(started.error());
}

}  // namespace virttdx
