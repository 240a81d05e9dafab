// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "devices/virtio_net/network_backend.h"
#include "devices/virtio_net/virtio_net_spec.h"
#include "manual_worker.h"
#include "support/result.h"

namespace virttdx::test {

/// A network whose other end is the test.
class MemoryNetwork final : public NetworkBackendDevice {
 public:
  struct Queue final : PacketQueue {
    QueueWorker& worker() override { return manual; }
    Sent send(std::span<const iovec> packet, std::size_t size) override {
      if (answer == Sent::Yes) {
        std::string bytes;
        for (const iovec& buffer : packet)
          bytes.append(static_cast<const char*>(buffer.iov_base), buffer.iov_len);
        CHECK(bytes.size() == size);
        sent.push_back(bytes.substr(virtio_net_spec::kHeaderSize));
      }
      return answer;
    }
    std::size_t receive(std::span<std::byte> into) override {
      if (waiting.empty()) return 0;
      const std::string packet = std::string(virtio_net_spec::kHeaderSize, '\0') + waiting.front();
      waiting.pop_front();
      std::memcpy(into.data(), packet.data(), packet.size());
      return packet.size();
    }
    void count_drop() override { ++drops; }
    test::ManualWorker manual;
    Sent answer = Sent::Yes;
    std::vector<std::string> sent;
    std::deque<std::string> waiting;
    int drops = 0;
  };
  explicit MemoryNetwork(std::size_t pairs) : queues(pairs) {
    values.mac = {std::byte{0x52}, std::byte{0x54}, std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}};
    values.mtu = 9000;
    values.offloads = virtio_net_spec::kFeatureChecksum | virtio_net_spec::kFeatureHostTso4;
    values.receive_queue_size = values.transmit_queue_size = 64;
  }
  const Properties& properties() const override { return values; }
  std::size_t queue_pairs() const override { return queues.size(); }
  PacketQueue& queue(std::size_t pair) override { return queues.at(pair); }
  QueueOffload* offload(std::size_t pair) override { return pair == 0 ? offloaded : nullptr; }
  void set_offloads(std::uint64_t features) override { offloads = features; }
  void set_active_pairs(std::size_t count) override { active = count; }
  QueueOffload* offloaded = nullptr;  ///< who works on the first pair
  Properties values;
  std::deque<Queue> queues;
  std::uint64_t offloads = 0;
  std::size_t active = 0;
};

}  // namespace virttdx::test
