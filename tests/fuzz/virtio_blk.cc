// SPDX-License-Identifier: GPL-2.0-or-later
// A hostile driver of a virtio disk.
#include "devices/virtio_blk/virtio_blk.h"
#include "memory_disk.h"
#include "virtio_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  BlockBackend::Properties properties;
  properties.capacity = 1 << 16;
  properties.discard = properties.writeback = true;
  properties.queue_size = 16;
  test::MemoryDisk disk(properties, 2);
  VirtioBlk device(disk);
  test::VirtioDriver driver(device);
  test::VirtioPoker(
      {data, size}, [&] { disk.pump(); }, [&](std::uint8_t error) { disk.error = error; })
      .run(driver);
  return 0;
}
