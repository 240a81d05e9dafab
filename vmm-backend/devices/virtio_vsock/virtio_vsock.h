// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <compare>
#include <deque>
#include <map>
#include <vector>

#include "devices/virtio/virtio_device.h"
#include "devices/virtio_vsock/virtio_vsock_spec.h"
#include "devices/virtio_vsock/vsock_backend.h"
#include "devices/virtio_vsock/vsock_connection.h"

namespace virttdx {

/// A virtio socket device: streams between the guest and the host (CID 2). Not emulated: sequenced packets,
/// datagrams, events (a TD does not migrate).
class VirtioVsock final : public VirtioDevice {
 public:
  /// More are refused, in either direction: they hold memory and descriptors of the host.
  static constexpr std::size_t kConnectionsMaximum = 1023;
  /// Ports of the host for connections that it asks for: this one and those above.
  static constexpr std::uint32_t kFirstHostPort = 1U << 30;
  /// `backend` outlives it.
  explicit VirtioVsock(VsockBackend& backend);
  ~VirtioVsock() override { stop(); }

  std::uint16_t type() const override;
  std::uint16_t pci_class() const override { return virtio_vsock_spec::kPciClass; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queue_sizes() const override;
  void read_config(std::size_t offset, std::span<std::byte> data) override;
  int doorbell(std::size_t) const override { return backend_.worker().doorbell(); }
  void start(const VirtioSession& session) override;
  void stop() override;
  bool resets_queues() const override { return true; }
  void replace_queue(std::size_t index, Virtqueue* queue) override;

 private:
  struct Ports {
    std::uint32_t guest = 0, host = 0;
    auto operator<=>(const Ports&) const = default;
  };
  using Connections = std::map<Ports, VsockConnection>;
  // On the worker's thread.
  void serve();
  Result<> serve_queues();
  /// Whether there were any.
  Result<bool> take_packets();
  /// The transmit queue waits until the guest takes resets.
  bool owes_too_much() const;
  Result<> take_packet();
  void handle(const Ports& ports, const VsockPacket& packet, std::span<const std::byte> payload);
  void connect(const Ports& ports, const VsockPacket& packet);
  void accept_connections();
  std::uint32_t free_host_port(std::uint32_t guest_port);
  void flush_connections();
  Result<> give_packets();
  /// False: the guest has no room, or nothing waits for it.
  Result<bool> give_round();
  Result<bool> has_room();
  void put(const Ports& ports, const VsockPacket& packet);
  Connections::iterator reset(Connections::iterator connection);

  VsockBackend& backend_;
  VirtioSession session_;
  Connections connections_;
  std::deque<Ports> resets_;  ///< that the guest is owed
  std::uint32_t next_host_port_ = kFirstHostPort;
  DescriptorChain chain_;
  std::vector<std::byte> packet_;  ///< header and payload
  bool broken_ = false;
};

}  // namespace virttdx
