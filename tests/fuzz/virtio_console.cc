// SPDX-License-Identifier: GPL-2.0-or-later
// A hostile driver of a virtio console.
#include "devices/virtio_console/virtio_console.h"
#include "manual_worker.h"
#include "memory_port.h"
#include "virtio_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  test::ManualWorker worker;
  test::MemoryPort console, channel;
  VirtioConsole device(worker, 3, {{0, true, "", &console}, {2, false, "channel", &channel}});
  test::VirtioDriver driver(device);
  const auto disturb = [&](std::uint8_t what) {
    channel.connected = (what & 1) != 0;
    channel.room = what;
    channel.input.assign(what, 'x');
    console.input.assign(what, 'x');
  };
  test::VirtioPoker(
      {data, size}, [&] { worker.run(); }, disturb)
      .run(driver);
  return 0;
}
