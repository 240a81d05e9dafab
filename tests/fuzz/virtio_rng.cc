// SPDX-License-Identifier: GPL-2.0-or-later
// A hostile driver of a virtio entropy device.
#include "counted_entropy.h"
#include "virtio_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx;
  test::CountedEntropy source;
  VirtioRng device(source);
  test::VirtioDriver driver(device);
  test::VirtioPoker(
      {data, size}, [&] { source.manual.run(); }, [&](std::uint8_t left) { source.left = left; })
      .run(driver);
  return 0;
}
