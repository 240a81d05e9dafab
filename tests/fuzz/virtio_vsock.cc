// SPDX-License-Identifier: GPL-2.0-or-later
// A hostile driver of a socket device.
#include "devices/virtio_vsock/virtio_vsock.h"
#include "memory_vsock.h"
#include "virtio_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  test::MemoryVsock host;
  host.listening = {0, 80};
  VirtioVsock device(host);
  test::VirtioDriver driver(device);
  const auto disturb = [&](std::uint8_t what) {
    if ((what & 1) != 0) host.wanted.push_back(what);
    for (auto& connection : host.connections) {
      connection->room = what;
      connection->input.assign(what, 'x');
      connection->ended = (what & 2) != 0;
      connection->reads = (what & 4) == 0;
    }
  };
  test::VirtioPoker(
      {data, size}, [&] { host.manual.run(); }, disturb)
      .run(driver);
  return 0;
}
