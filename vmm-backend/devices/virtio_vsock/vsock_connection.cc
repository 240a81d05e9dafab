// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_vsock/vsock_connection.h"

#include <algorithm>

namespace virttdx {

using namespace virtio_vsock_spec;

VsockConnection::VsockConnection(std::unique_ptr<VsockStream> stream, bool asked_by_guest)
    : stream_(std::move(stream)),
      phase_(asked_by_guest ? Phase::Open : Phase::Asking),
      owes_request_(!asked_by_guest),
      owes_response_(asked_by_guest) {}

bool VsockConnection::take(const VsockPacket& packet, std::span<const std::byte> payload,
                           std::uint32_t host_port) {
  guest_space_ = packet.buffer_space;
  guest_forwarded_ = packet.forwarded;
  if (packet.operation == kOperationResponse) {
    // A request that was not sent cannot have been answered.
    if (phase_ != Phase::Asking || owes_request_) return false;
    phase_ = Phase::Open;
    stream_->accepted(host_port);
    return true;
  }
  switch (packet.operation) {
    case kOperationRequest:  // The guest's first one made the connection.
      return owes_response_;
    case kOperationData:
      return phase_ == Phase::Open && take_data(payload);
    case kOperationShutdown:
      guest_ended_ |= packet.flags & kShutdownBoth;
      return true;
    case kOperationCreditUpdate:
      return true;
    case kOperationCreditRequest:
      owes_credit_ = true;
      return true;
    default:
      return false;
  }
}

bool VsockConnection::take_data(std::span<const std::byte> payload) {
  if ((guest_ended_ & kShutdownSend) != 0 || payload.size() > kBufferSpace - waiting_.size()) return false;
  waiting_.insert(waiting_.end(), payload.begin(), payload.end());
  return true;
}

bool VsockConnection::flush() {
  if (phase_ == Phase::Asking) return !stream_->is_gone();
  std::size_t done = 0;
  while (done < waiting_.size()) {
    const auto taken = stream_->write(std::span(waiting_).subspan(done));
    if (!taken) return false;
    if (*taken == 0) break;
    done += *taken;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
  forwarded_ += static_cast<std::uint32_t>(done);
  // The guest is told before it must stop.
  if (forwarded_ - forwarded_told_ >= kBufferSpace / 2) owes_credit_ = true;
  end_host_when_flushed();
  // The guest waits for a reset when it has ended both ways (5.10.6.5), or when both sides have ended theirs.
  const bool guest_sends = (guest_ended_ & kShutdownSend) == 0 || !waiting_.empty();
  const bool host_sends = (guest_ended_ & kShutdownReceive) == 0 && (!host_ended_ || owes_shutdown_);
  return guest_sends || host_sends;
}

void VsockConnection::end_host_when_flushed() {
  if (end_told_ || (guest_ended_ & kShutdownSend) == 0 || !waiting_.empty()) return;
  end_told_ = true;
  stream_->end_writing();
}

bool VsockConnection::give(VsockPacket& packet, std::span<std::byte> payload) {
  packet = {};
  if (!give_control(packet) && !give_data(packet, payload)) return false;
  packet.buffer_space = kBufferSpace;
  packet.forwarded = forwarded_told_ = forwarded_;
  // Every packet tells the credit.
  owes_credit_ = false;
  return true;
}

bool VsockConnection::give_control(VsockPacket& packet) {
  struct Owed {
    bool& owed;
    std::uint16_t operation;
    std::uint32_t flags = 0;
  };
  for (const Owed& each : {Owed{owes_request_, kOperationRequest}, Owed{owes_response_, kOperationResponse},
                           Owed{owes_shutdown_, kOperationShutdown, kShutdownSend},
                           Owed{owes_credit_, kOperationCreditUpdate}}) {
    if (!each.owed) continue;
    each.owed = false;
    packet.operation = each.operation;
    packet.flags = each.flags;
    return true;
  }
  return false;
}

bool VsockConnection::give_data(VsockPacket& packet, std::span<std::byte> payload) {
  if (phase_ != Phase::Open || host_ended_ || (guest_ended_ & kShutdownReceive) != 0) return false;
  const std::size_t size = std::min<std::size_t>(credit(), payload.size());
  if (size == 0) return false;
  const auto count = stream_->read(payload.first(size));
  if (!count) {
    host_ended_ = owes_shutdown_ = true;
    return give_control(packet);
  }
  if (*count == 0) return false;
  packet.operation = kOperationData;
  packet.length = static_cast<std::uint32_t>(*count);
  sent_ += packet.length;
  return true;
}

// A guest that says that it has forwarded more than it was sent, or shrinks its buffer, gets nothing.
std::uint32_t VsockConnection::credit() const {
  const std::uint32_t on_the_way = sent_ - guest_forwarded_;
  return on_the_way < guest_space_ ? guest_space_ - on_the_way : 0;
}

}  // namespace virttdx
