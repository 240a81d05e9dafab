// SPDX-License-Identifier: GPL-2.0-or-later
// What the device tests share: typed accesses, a settable clock, an interrupt line and memory that remember.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/dma.h"
#include "bus/interrupt_line.h"
#include "support/byte_order.h"

namespace virttdx::test {

template <typename T, typename Readable>
T read_as(Readable& target, std::uint64_t address) {
  std::array<std::byte, sizeof(T)> data{};
  target.read(address, data);
  return load_le<T>(data, 0);
}

template <typename T, typename Writable>
void write_as(Writable& target, std::uint64_t address, T value) {
  std::array<std::byte, sizeof(T)> data{};
  store_le<T>(data, 0, value);
  target.write(address, data);
}

template <typename Readable>
std::uint8_t in8(Readable& target, std::uint64_t address) {
  return read_as<std::uint8_t>(target, address);
}

template <typename Writable>
void out8(Writable& target, std::uint64_t address, unsigned value) {
  write_as<std::uint8_t>(target, address, static_cast<std::uint8_t>(value));
}

struct SettableClock : Clock {
  std::uint64_t monotonic_ns() const override { return now_ns; }
  std::int64_t wall_seconds() const override { return now_seconds; }
  std::uint64_t now_ns = 0;
  std::int64_t now_seconds = 0;
};

struct RecordingLine : InterruptLine {
  void set(bool level) override {
    if (level && !asserted) ++rises;
    asserted = level;
  }
  bool asserted = false;
  int rises = 0;
};

/// Guest memory of `size` bytes from address 0.
struct FlatMemory : DmaMemory {
  explicit FlatMemory(std::size_t size) : bytes(size) {}
  bool read(Gpa gpa, std::span<std::byte> into) override {
    if (gpa.value > bytes.size() || into.size() > bytes.size() - gpa.value) return false;
    std::memcpy(into.data(), bytes.data() + gpa.value, into.size());
    return true;
  }
  bool write(Gpa gpa, std::span<const std::byte> from) override {
    if (gpa.value > bytes.size() || from.size() > bytes.size() - gpa.value) return false;
    std::memcpy(bytes.data() + gpa.value, from.data(), from.size());
    return true;
  }
  std::span<std::byte> map(Gpa gpa, std::size_t size) override {
    if (gpa.value > bytes.size() || size > bytes.size() - gpa.value) return {};
    return std::span(bytes).subspan(gpa.value, size);
  }
  std::vector<std::byte> bytes;
};

}  // namespace virttdx::test
