// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstring>
#include <string>

#include "devices/virtio_console/port_backend.h"

namespace virttdx::test {

/// A port whose other end is the test.
struct MemoryPort final : PortBackend {
  std::size_t write(std::span<const std::byte> bytes) override {
    const std::size_t count = std::min(bytes.size(), room);
    written.append(reinterpret_cast<const char*>(bytes.data()), count);
    room -= count;
    return count;
  }
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), input.size());
    std::memcpy(into.data(), input.data(), count);
    input.erase(0, count);
    return count;
  }
  bool is_connected() const override { return connected; }
  std::string written, input;
  std::size_t room = SIZE_MAX;
  bool connected = true;
};

}  // namespace virttdx::test
