// SPDX-License-Identifier: GPL-2.0-or-later
// A hostile driver of a virtio network interface.
#include "devices/virtio_net/virtio_net.h"
#include "memory_network.h"
#include "virtio_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  test::MemoryNetwork network(2);
  VirtioNet device(network);
  test::VirtioDriver driver(device);
  const auto disturb = [&](std::uint8_t what) {
    network.queues[0].answer = static_cast<PacketQueue::Sent>(what % 3);
    network.queues[what & 1].waiting = {std::string(what * 8U, 'p'), "p"};
  };
  const auto pump = [&] {
    for (auto& queue : network.queues) queue.manual.run();
  };
  test::VirtioPoker({data, size}, pump, disturb).run(driver);
  return 0;
}
