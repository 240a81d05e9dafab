// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_vsock/virtio_vsock.h"

#include <algorithm>
#include <array>

#include "devices/virtio/chain_bytes.h"
#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_vsock_spec;

namespace {

// What a guest that takes nothing can make the device owe before it is heard no more.
constexpr std::size_t kResetsMaximum = 256;

}  // namespace

VirtioVsock::VirtioVsock(VsockBackend& backend)
    : backend_(backend), packet_(kHeaderSize + VsockConnection::kBufferSpace) {}

std::uint16_t VirtioVsock::type() const { return virtio_spec::kDeviceSocket; }

std::vector<std::uint16_t> VirtioVsock::queue_sizes() const { return {kQueueSize, kQueueSize, kQueueSize}; }

void VirtioVsock::read_config(std::size_t offset, std::span<std::byte> data) {
  std::array<std::byte, kConfigSize> config{};
  store_le<std::uint64_t>(config, kConfigGuestCid, backend_.guest_cid());
  read_structure(config, offset, data);
}

void VirtioVsock::start(const VirtioSession& session) {
  session_ = session;
  broken_ = false;
  backend_.worker().set_task([this] { serve(); });
}

void VirtioVsock::stop() {
  // Streams belong to the worker's thread.
  backend_.worker().set_task([this] {
    connections_.clear();
    resets_.clear();
  });
  backend_.worker().set_task(nullptr);
  session_ = {};
}

void VirtioVsock::replace_queue(std::size_t index, Virtqueue* queue) {
  backend_.worker().set_task(nullptr);
  session_.queues.at(index) = queue;
  backend_.worker().set_task([this] { serve(); });
}

void VirtioVsock::serve() {
  if (broken_) return;
  if (const auto served = serve_queues(); !served) {
    broken_ = true;
    connections_.clear();
    return session_.fail(served.error());
  }
  for (Virtqueue* const queue : session_.queues)
    if (queue != nullptr) queue->signal();
}

Result<> VirtioVsock::serve_queues() {
  accept_connections();
  bool more = true;
  while (more) {
    more = TRY(take_packets());
    flush_connections();
    const bool waited = owes_too_much();
    TRY(give_packets());
    more = more || (waited && !owes_too_much());
  }
  return {};
}

bool VirtioVsock::owes_too_much() const { return resets_.size() >= kResetsMaximum; }

Result<bool> VirtioVsock::take_packets() {
  Virtqueue* const queue = session_.queues[kQueueTransmit];
  if (queue == nullptr) return false;
  bool taken = false;
  while (!owes_too_much() && TRY(queue->pop_or_ask(chain_))) {
    TRY(take_packet());
    queue->push(chain_.head, 0);
    taken = true;
  }
  return taken;
}

Result<> VirtioVsock::take_packet() {
  std::array<std::byte, kHeaderSize> header{};
  if (take_bytes(chain_.readable, header) != header.size())
    return fail(Error::Code::InvalidData, "a packet of {} bytes has no whole header", chain_.readable_size);
  const VsockPacket packet{.length = load_le<std::uint32_t>(header, kHeaderLength),
                           .operation = load_le<std::uint16_t>(header, kHeaderOperation),
                           .flags = load_le<std::uint32_t>(header, kHeaderFlags),
                           .buffer_space = load_le<std::uint32_t>(header, kHeaderBufferSpace),
                           .forwarded = load_le<std::uint32_t>(header, kHeaderForwarded)};
  if (packet.length > chain_.readable_size - kHeaderSize)
    return fail(Error::Code::InvalidData, "a packet of {} bytes says that its payload has {}",
                chain_.readable_size, packet.length);
  const Ports ports{.guest = load_le<std::uint32_t>(header, kHeaderSourcePort),
                    .host = load_le<std::uint32_t>(header, kHeaderDestinationPort)};
  // A packet in somebody else's name is dropped.
  if (load_le<std::uint64_t>(header, kHeaderSourceCid) != backend_.guest_cid()) return {};
  if (load_le<std::uint64_t>(header, kHeaderDestinationCid) != kHostCid ||
      load_le<std::uint16_t>(header, kHeaderType) != kTypeStream) {
    if (packet.operation != kOperationReset) resets_.push_back(ports);
    return {};
  }
  // No connection takes more at once: what is longer breaks the credit.
  const std::size_t size = std::min<std::size_t>(packet.length, VsockConnection::kBufferSpace + 1);
  std::vector<std::byte> payload(size);
  take_bytes(chain_.readable, payload);
  handle(ports, packet, payload);
  return {};
}

void VirtioVsock::handle(const Ports& ports, const VsockPacket& packet, std::span<const std::byte> payload) {
  const auto connection = connections_.find(ports);
  if (packet.operation == kOperationReset) {
    if (connection != connections_.end()) connections_.erase(connection);
  } else if (connection == connections_.end()) {
    connect(ports, packet);
  } else if (!connection->second.take(packet, payload, ports.host)) {
    reset(connection);
  }
}

void VirtioVsock::connect(const Ports& ports, const VsockPacket& packet) {
  auto stream = packet.operation == kOperationRequest && connections_.size() < kConnectionsMaximum
                    ? backend_.connect(ports.host)
                    : nullptr;
  if (stream == nullptr) return resets_.push_back(ports);
  connections_.try_emplace(ports, std::move(stream), true).first->second.take(packet, {}, ports.host);
}

void VirtioVsock::accept_connections() {
  while (auto incoming = backend_.accept()) {
    if (connections_.size() >= kConnectionsMaximum) continue;
    const Ports ports{.guest = incoming->guest_port, .host = free_host_port(incoming->guest_port)};
    connections_.try_emplace(ports, std::move(incoming->stream), false);
  }
}

std::uint32_t VirtioVsock::free_host_port(std::uint32_t guest_port) {
  // There are more ports than connections.
  while (true) {
    const std::uint32_t port = next_host_port_++;
    if (next_host_port_ == UINT32_MAX) next_host_port_ = kFirstHostPort;
    if (!connections_.contains({.guest = guest_port, .host = port})) return port;
  }
}

void VirtioVsock::flush_connections() {
  for (auto connection = connections_.begin(); connection != connections_.end();)
    connection = connection->second.flush() ? std::next(connection) : reset(connection);
}

VirtioVsock::Connections::iterator VirtioVsock::reset(Connections::iterator connection) {
  resets_.push_back(connection->first);
  return connections_.erase(connection);
}

Result<> VirtioVsock::give_packets() {
  if (session_.queues[kQueueReceive] == nullptr) return {};
  while (!resets_.empty()) {
    if (!TRY(has_room())) return {};
    put(resets_.front(), {.operation = kOperationReset});
    resets_.pop_front();
  }
  while (TRY(give_round())) {
  }
  return {};
}

// One packet of each connection, so that none starves the others.
Result<bool> VirtioVsock::give_round() {
  bool given = false;
  for (auto& [ports, connection] : connections_) {
    if (!TRY(has_room())) return false;
    VsockPacket packet;
    const auto room = std::min<std::uint64_t>(chain_.writable_size, packet_.size()) - kHeaderSize;
    if (connection.give(packet, std::span(packet_).subspan(kHeaderSize, room))) {
      put(ports, packet);
      given = true;
    } else {
      session_.queues[kQueueReceive]->unpop();
    }
  }
  return given;
}

// A buffer of the guest, in chain_.
Result<bool> VirtioVsock::has_room() {
  if (!TRY(session_.queues[kQueueReceive]->pop_or_ask(chain_))) return false;
  if (chain_.writable_size <= kHeaderSize)
    return fail(Error::Code::InvalidData, "a buffer of {} bytes cannot take a packet", chain_.writable_size);
  return true;
}

void VirtioVsock::put(const Ports& ports, const VsockPacket& packet) {
  const std::span bytes = std::span(packet_).first(kHeaderSize + packet.length);
  store_le<std::uint64_t>(bytes, kHeaderSourceCid, kHostCid);
  store_le<std::uint64_t>(bytes, kHeaderDestinationCid, backend_.guest_cid());
  store_le<std::uint32_t>(bytes, kHeaderSourcePort, ports.host);
  store_le<std::uint32_t>(bytes, kHeaderDestinationPort, ports.guest);
  store_le<std::uint32_t>(bytes, kHeaderLength, packet.length);
  store_le<std::uint16_t>(bytes, kHeaderType, kTypeStream);
  store_le<std::uint16_t>(bytes, kHeaderOperation, packet.operation);
  store_le<std::uint32_t>(bytes, kHeaderFlags, packet.flags);
  store_le<std::uint32_t>(bytes, kHeaderBufferSpace, packet.buffer_space);
  store_le<std::uint32_t>(bytes, kHeaderForwarded, packet.forwarded);
  put_bytes(chain_.writable, bytes);
  session_.queues[kQueueReceive]->push(chain_.head, static_cast<std::uint32_t>(bytes.size()));
}

}  // namespace virttdx
