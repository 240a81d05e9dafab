// SPDX-License-Identifier: GPL-2.0-or-later
// A configuration of any bytes is refused, or is written and read back as the same value.
#include <cstddef>
#include <cstdint>

#include "vmm_backend/vm_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = virttdx::vm_config_from_json({reinterpret_cast<const char*>(data), size});
  if (!config) return 0;
  [[maybe_unused]] const auto valid = virttdx::validate(*config);
  CHECK(virttdx::vm_config_from_json(virttdx::vm_config_to_json(*config)).value() == *config);
  return 0;
}
