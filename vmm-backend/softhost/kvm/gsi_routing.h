// SPDX-License-Identifier: GPL-2.0-or-later
// Which MSI a global system interrupt (GSI) of a split irqchip stands for (KVM_SET_GSI_ROUTING).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace virttdx::softhost {

struct MsiMessage {
  std::uint32_t address_lo = 0;
  std::uint32_t address_hi = 0;
  std::uint32_t data = 0;
};

/// Thread-safe.
class GsiRouting {
 public:
  void replace(std::map<std::uint32_t, MsiMessage> routes);
  std::optional<MsiMessage> route(std::uint32_t gsi) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint32_t, MsiMessage> routes_;  // guarded by mutex_
};

}  // namespace virttdx::softhost
