// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses of a hostile guest to every device of a machine.
#include "device_poker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virttdx::test::TestMachine machine;
  virttdx::test::DevicePoker({data, size}).run(machine);
  return 0;
}
