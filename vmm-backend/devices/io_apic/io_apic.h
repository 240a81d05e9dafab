// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "bus/bus.h"
#include "bus/interrupt_line.h"
#include "devices/io_apic/io_apic_spec.h"

namespace virttdx {

/// An I/O APIC in the monitor: an asserted pin becomes a message to the local APICs.
/// Every message is an edge. A pin programmed as level-triggered sends when it is asserted, and again when it
/// is unmasked while asserted; ends of interrupt of a TD reach nobody, so Remote IRR stays 0 and nothing is
/// re-sent. Not emulated: delivery status, arbitration, polarity (devices drive logical levels). Any thread.
class IoApic final : public BusRegion {
 public:
  explicit IoApic(MsiSink sink);
  /// The wire to pin 0 to 23. Valid as long as this object.
  InterruptLine& pin(std::size_t number);

  /// 32-bit accesses at multiples of 16 bytes; others read 0 and write nothing.
  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  struct Pin final : InterruptLine {
    void set(bool level) override { owner->set_pin(number, level); }
    IoApic* owner = nullptr;
    std::size_t number = 0;
    bool asserted = false;
    std::uint64_t entry = io_apic_spec::kMasked;
  };
  void set_pin(std::size_t number, bool asserted);
  // Under mutex_.
  std::uint32_t read_selected() const;
  void write_selected(std::uint32_t value);
  void write_entry(std::size_t index, std::uint32_t value);
  void send(std::uint64_t entry) const;

  const MsiSink sink_;
  std::mutex mutex_;
  std::uint8_t selected_ = 0;
  std::uint32_t id_ = 0;
  std::array<Pin, io_apic_spec::kPins> pins_;
};

}  // namespace virttdx
