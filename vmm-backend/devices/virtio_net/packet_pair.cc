// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_net/packet_pair.h"

#include "devices/virtio/chain_bytes.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_net_spec;

Result<> PacketPair::serve() {
  TRY(transmit());
  TRY(receive());
  if (parts_.transmit != nullptr) parts_.transmit->signal();
  if (parts_.receive != nullptr) parts_.receive->signal();
  return {};
}

Result<> PacketPair::transmit() {
  Virtqueue* const queue = parts_.transmit;
  if (queue == nullptr) return {};
  while (has_unsent_ || TRY(queue->pop_or_ask(sending_))) {
    const std::uint64_t size = sending_.readable_size;
    if (size < kHeaderSize)
      return fail(Error::Code::InvalidData, "a packet of {} bytes has no whole header", size);
    has_unsent_ = size <= kPacketMaximum && parts_.link.is_up() &&
                  parts_.backend.send(sending_.readable, size) == PacketQueue::Sent::Later;
    if (has_unsent_) return {};
    queue->push(sending_.head, 0);
  }
  return {};
}

Result<> PacketPair::receive() {
  if (parts_.receive == nullptr) return {};
  while (true) {
    if (packet_size_ == 0) packet_size_ = parts_.backend.receive(packet_);
    if (packet_size_ == 0) return {};
    if (parts_.link.is_up() && !TRY(deliver(std::span(packet_).first(packet_size_)))) return {};
    packet_size_ = 0;
  }
}

Result<bool> PacketPair::deliver(std::span<std::byte> packet) {
  if (!TRY(take_room(packet.size()))) return false;
  std::uint64_t room = 0;
  for (std::size_t i = 0; i < room_; ++i) room += chains_[i].writable_size;
  if (room < packet.size()) {
    parts_.backend.count_drop();
    for (; room_ > 0; --room_) parts_.receive->unpop();
    return true;
  }
  fill(packet);
  return true;
}

// Takes chains until the packet fits, or the one chain that a driver without mergeable buffers gives it.
Result<bool> PacketPair::take_room(std::size_t size) {
  std::uint64_t room = 0;
  room_ = 0;
  while (room_ == 0 || (parts_.mergeable && room < size && room_ < parts_.receive->size())) {
    if (chains_.size() == room_) chains_.emplace_back();
    if (!TRY(parts_.receive->pop_or_ask(chains_[room_]))) {
      for (; room_ > 0; --room_) parts_.receive->unpop();
      return false;
    }
    if (chains_[room_].writable_size < kHeaderSize)
      return fail(Error::Code::InvalidData, "a buffer of {} bytes cannot take a packet's header",
                  chains_[room_].writable_size);
    room += chains_[room_++].writable_size;
  }
  return true;
}

void PacketPair::fill(std::span<std::byte> packet) {
  store_le<std::uint16_t>(packet, kHeaderBuffers, static_cast<std::uint16_t>(room_));
  std::span<const std::byte> rest = packet;
  for (std::size_t i = 0; i < room_; ++i) {
    const std::size_t put = put_bytes(chains_[i].writable, rest);
    parts_.receive->stage(chains_[i].head, static_cast<std::uint32_t>(put));
    rest = rest.subspan(put);
  }
  // A driver must find all of a packet's buffers at once (5.1.6.4).
  parts_.receive->publish();
}

}  // namespace virttdx
