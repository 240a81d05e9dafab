// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "bus/bus.h"
#include "devices/pvpanic/pvpanic_spec.h"

namespace virttdx {

/// The register by which a guest's kernel says that it has crashed. Any thread.
/// Not emulated: the event of an orderly shutdown (bit 2).
class Pvpanic final : public ByteRegion {
 public:
  /// `on_panic`: each time that the guest leaves a crash to the host.
  explicit Pvpanic(std::function<void()> on_panic) : on_panic_(std::move(on_panic)) {}

 protected:
  std::uint8_t read_byte(std::uint64_t offset) override;
  void write_byte(std::uint64_t offset, std::uint8_t value) override;

 private:
  const std::function<void()> on_panic_;
};

}  // namespace virttdx
