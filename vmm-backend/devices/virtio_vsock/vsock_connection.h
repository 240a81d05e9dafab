// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "devices/virtio_vsock/virtio_vsock_spec.h"
#include "devices/virtio_vsock/vsock_backend.h"

namespace virttdx {

/// What a packet's header says, but for addresses.
struct VsockPacket {
  std::uint32_t length = 0;
  std::uint16_t operation = 0;
  std::uint32_t flags = 0;
  std::uint32_t buffer_space = 0;
  std::uint32_t forwarded = 0;
};

/// One stream between a port of the guest and one of the host: its state, its credit (5.10.6.3) and what
/// waits in it. Counters run over, as the specification's do. Takes and gives packets; the device moves them.
class VsockConnection {
 public:
  /// What the guest may send before it learns that the host's program has taken it.
  static constexpr std::uint32_t kBufferSpace = 64 << 10;
  /// `asked_by_guest`: it gets a response, else a request.
  VsockConnection(std::unique_ptr<VsockStream> stream, bool asked_by_guest);

  /// A packet of the guest with its payload of packet.length bytes. False: it breaks the rules, or the
  /// connection is over: it is to be reset.
  bool take(const VsockPacket& packet, std::span<const std::byte> payload, std::uint32_t host_port);
  /// Moves what waits to the host. False: the connection is over and is to be reset.
  bool flush();
  /// The next packet for the guest, with its payload at the start of `payload`; false: there is none now.
  bool give(VsockPacket& packet, std::span<std::byte> payload);

 private:
  enum class Phase : std::uint8_t { Asking, Open };
  bool take_data(std::span<const std::byte> payload);
  bool give_control(VsockPacket& packet);
  bool give_data(VsockPacket& packet, std::span<std::byte> payload);
  std::uint32_t credit() const;
  void end_host_when_flushed();

  std::unique_ptr<VsockStream> stream_;
  Phase phase_;
  bool owes_request_ = false, owes_response_ = false, owes_credit_ = false, owes_shutdown_ = false;
  bool host_ended_ = false;         ///< its program sends no more
  bool end_told_ = false;           ///< to the host's program, of the guest's
  std::uint32_t guest_ended_ = 0;   ///< kShutdown... that the guest has sent
  std::vector<std::byte> waiting_;  ///< of the guest, for the host; at most kBufferSpace
  std::uint32_t forwarded_ = 0;     ///< of the guest's bytes, to the host
  std::uint32_t forwarded_told_ = 0;
  std::uint32_t sent_ = 0;  ///< to the guest
  std::uint32_t guest_space_ = 0, guest_forwarded_ = 0;
};

}  // namespace virttdx
