// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "support/result.h"
#include "vmm_backend/gpa.h"

namespace virttdx {

/// Lets a guest's write ring an eventfd without the vCPU leaving the guest (KVM_IOEVENTFD). Any thread.
class DoorbellBus {
 public:
  virtual ~DoorbellBus() = default;
  /// From now on a write of `size` bytes (1, 2, 4, 8) at `address` rings `eventfd` and reaches no region.
  virtual Result<> connect(Gpa address, std::uint32_t size, int eventfd) = 0;
  /// Undoes a connect() with the same arguments.
  virtual void disconnect(Gpa address, std::uint32_t size, int eventfd) = 0;
};

}  // namespace virttdx
