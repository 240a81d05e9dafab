// SPDX-License-Identifier: GPL-2.0-or-later
// What a request costs in a virtio device alone: ring, checks, completion, interrupt decision. The back ends
// are memory; notifications are exits (no doorbell bus), one for each batch.
#include <benchmark/benchmark.h>

#include "devices/virtio_blk/virtio_blk.h"
#include "devices/virtio_net/virtio_net.h"
#include "memory_disk.h"
#include "memory_network.h"
#include "virtio_driver.h"

namespace virttdx {
namespace {

constexpr std::uint64_t kBuffers = test::VirtioDriver::kBuffers;
constexpr std::uint64_t kFeatures =
    virtio_spec::kFeatureEventIndex | virtio_spec::kFeatureIndirectDescriptors;

BlockBackend::Properties disk_properties() {
  BlockBackend::Properties properties;
  properties.capacity = 1 << 20;
  return properties;
}

/// Reads of `range(0)` bytes, `range(1)` of them a notification.
void block_reads(benchmark::State& state) {
  test::MemoryDisk disk(disk_properties());
  VirtioBlk device(disk);
  test::VirtioDriver driver(device);
  driver.start(kFeatures);
  auto& queue = driver.queues[0];
  const auto size = static_cast<std::uint32_t>(state.range(0));
  std::int64_t requests = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(1); ++i)
      queue.add({{kBuffers, 16}, {kBuffers + 0x1000, size, true}, {kBuffers + 0x100, 1, true}});
    driver.notify(0);
    disk.log.clear();
    disk.pump();
    while (queue.take_used()) ++requests;
  }
  state.SetItemsProcessed(requests);
}

/// Packets of `range(0)` bytes to the network, 16 a notification.
void network_sends(benchmark::State& state) {
  test::MemoryNetwork network(1);
  network.queues[0].answer = PacketQueue::Sent::Dropped;
  VirtioNet device(network);
  test::VirtioDriver driver(device);
  driver.start(kFeatures);
  auto& queue = driver.queues[1];
  const auto size = static_cast<std::uint32_t>(state.range(0));
  std::int64_t packets = 0;
  for (auto _ : state) {
    for (int i = 0; i < 16; ++i) queue.add({{kBuffers, 12}, {kBuffers + 0x1000, size}});
    driver.notify(1);
    network.queues[0].manual.pump();
    while (queue.take_used()) ++packets;
  }
  state.SetItemsProcessed(packets);
}

/// Packets of `range(0)` bytes from the network, 16 a wake-up.
void network_receives(benchmark::State& state) {
  test::MemoryNetwork network(1);
  VirtioNet device(network);
  test::VirtioDriver driver(device);
  driver.start(kFeatures | virtio_net_spec::kFeatureMergeableBuffers);
  auto& queue = driver.queues[0];
  const std::string packet(static_cast<std::size_t>(state.range(0)), 'p');
  std::int64_t packets = 0;
  for (auto _ : state) {
    for (unsigned i = 0; i < 16; ++i) queue.add({{kBuffers + 0x1000 * i, 0x800, true}});
    network.queues[0].waiting.assign(16, packet);
    driver.notify(0);
    network.queues[0].manual.pump();
    while (queue.take_used()) ++packets;
  }
  state.SetItemsProcessed(packets);
}

BENCHMARK(block_reads)->Args({512, 1})->Args({4096, 1})->Args({4096, 32});
BENCHMARK(network_sends)->Arg(60)->Arg(1514);
BENCHMARK(network_receives)->Arg(60)->Arg(1514);

}  // namespace
}  // namespace virttdx

BENCHMARK_MAIN();
