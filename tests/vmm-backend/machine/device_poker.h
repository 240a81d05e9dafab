// SPDX-License-Identifier: GPL-2.0-or-later
// Turns bytes into accesses to a machine's devices, as a hostile guest would make them.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "test_machine.h"

namespace virttdx::test {

class DevicePoker {
 public:
  explicit DevicePoker(std::span<const std::uint8_t> input) : input_(input) {}

  /// Until the input ends. An access: kind, address, data.
  void run(TestMachine& target) {
    while (!input_.empty()) {
      const auto kind = take<std::uint8_t>();
      if ((kind & 0xE0) == 0xE0)
        disturb(target, kind & 3);
      else if ((kind & 0x80) != 0)
        poke(target.machine->mmio(), mmio_address(kind), std::size_t{1} << (kind & 3), (kind & 4) != 0);
      else
        poke(target.machine->ports(), take<std::uint16_t>(), std::size_t{1} << std::min(kind & 3, 2),
             (kind & 4) != 0);
    }
  }

 private:
  template <typename T>
  T take() {
    T value{};
    const std::size_t size = std::min(sizeof(T), input_.size());
    std::memcpy(&value, input_.data(), size);
    input_ = input_.subspan(size);
    return value;
  }

  // What comes from outside: time, also backwards, input, the power button.
  void disturb(TestMachine& target, int what) {
    if (what == 0) target.clock.now_ns = take<std::uint64_t>();
    if (what == 1) target.clock.now_seconds = static_cast<std::int64_t>(take<std::uint64_t>());
    if (what == 2) target.com1.type("input");
    if (what == 3) target.machine->press_power_button();
  }

  // The I/O APIC, a PCI window, or anywhere.
  std::uint64_t mmio_address(std::uint8_t kind) {
    if ((kind & 0x18) == 0x00) return 0xFEC00000 + take<std::uint8_t>();
    if ((kind & 0x18) == 0x08) return 0xE0000000 + take<std::uint32_t>() % (256U << 20);
    return take<std::uint64_t>();
  }

  template <typename Bus>
  void poke(Bus& bus, std::uint64_t address, std::size_t size, bool is_write) {
    std::array<std::byte, 8> data{};
    store_le<std::uint64_t>(data, 0, is_write ? take<std::uint64_t>() : 0);
    if (is_write)
      bus.write(address, std::span(data).first(size));
    else
      bus.read(address, std::span(data).first(size));
  }

  std::span<const std::uint8_t> input_;
};

}  // namespace virttdx::test
