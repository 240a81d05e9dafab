// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <cstdint>

#include "devices/virtio_net/virtio_net_spec.h"
#include "vmm_backend/device_statistics.h"

namespace virttdx {

/// What an interface moved since its monitor began. Any thread. Sizes are packets with their virtio-net
/// header, which is not counted.
class InterfaceCounters {
 public:
  void count_received(std::size_t size) { add(received_packets_, received_bytes_, size); }
  void count_sent(std::size_t size) { add(sent_packets_, sent_bytes_, size); }
  /// A packet for the guest that it had no room for: it was counted as received.
  void count_received_drop() { ++received_drops_; }
  void count_sent_drop() { ++sent_drops_; }
  void count_sent_error() { ++sent_errors_; }
  void count_received_error() { ++received_errors_; }

  InterfaceStatistics snapshot() const {
    InterfaceStatistics statistics;
    statistics.received_packets = received_packets_;
    statistics.received_bytes = received_bytes_;
    statistics.received_drops = received_drops_;
    statistics.received_errors = received_errors_;
    statistics.sent_packets = sent_packets_;
    statistics.sent_bytes = sent_bytes_;
    statistics.sent_drops = sent_drops_;
    statistics.sent_errors = sent_errors_;
    return statistics;
  }

 private:
  using Counter = std::atomic<std::uint64_t>;
  static void add(Counter& packets, Counter& bytes, std::size_t size) {
    ++packets;
    bytes += size - virtio_net_spec::kHeaderSize;
  }
  Counter received_packets_ = 0, received_bytes_ = 0, received_drops_ = 0, received_errors_ = 0;
  Counter sent_packets_ = 0, sent_bytes_ = 0, sent_drops_ = 0, sent_errors_ = 0;
};

}  // namespace virttdx
