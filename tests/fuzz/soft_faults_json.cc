// SPDX-License-Identifier: GPL-2.0-or-later
// Faults of any bytes are refused, or each strikes somewhere.
#include <cstddef>
#include <cstdint>

#include "vmm_backend/soft_faults.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto faults = virttdx::soft_faults_from_json({reinterpret_cast<const char*>(data), size});
  if (!faults) return 0;
  for (const auto& fault : *faults) CHECK(fault.first != 0 && fault.count != 0);
  return 0;
}
