// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/interrupt_line.h"
#include "devices/acpi_pm/acpi_pm_spec.h"

namespace virttdx {

/// ICH9's ACPI registers: PM timer, power button, soft-off. Any thread.
/// Not emulated: SMIs (SMI_EN holds what is written; nothing raises one), sleep states other than S5, timer
/// overflow status, TCO watchdog, general-purpose events (nothing sets their status).
class AcpiPm final : public BusRegion {
 public:
  AcpiPm(PortBus& ports, const Clock& clock, InterruptLine& sci, std::function<void()> on_power_off);

  /// Moves the register block to `base`, or takes it away. A place taken by another device leaves none, with
  /// a warning.
  void place(std::optional<std::uint16_t> base);

  /// Sets PWRBTN_STS, and raises the SCI when the guest has enabled both.
  void press_power_button();

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  std::uint32_t timer() const;
  // Under mutex_.
  void write_byte(std::size_t offset, std::byte value);
  bool requests_power_off(std::size_t offset, std::span<const std::byte> data) const;
  void update_sci();

  PortBus& ports_;
  const Clock& clock_;
  InterruptLine& sci_;
  const std::function<void()> on_power_off_;
  std::mutex mutex_;
  std::array<std::byte, acpi_pm_spec::kSize> registers_{};  ///< guarded by mutex_
};

}  // namespace virttdx
