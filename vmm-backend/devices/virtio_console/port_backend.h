// SPDX-License-Identifier: GPL-2.0-or-later
// Where the bytes of a virtio console's port go and come from.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace virttdx {

/// Called on the console's worker thread; nothing blocks. Outlives the devices that use it.
class PortBackend {
 public:
  virtual ~PortBackend() = default;
  /// Takes bytes that the guest sent; how many. Fewer than all: the worker's task is run again when there may
  /// be room. All of them vanish while nobody is connected.
  virtual std::size_t write(std::span<const std::byte> bytes) = 0;
  /// Moves input into `into`; how many bytes. 0: there is none, and the worker's task is run again when there
  /// is.
  virtual std::size_t read(std::span<std::byte> into) = 0;
  /// Whether somebody is at the other end. The worker's task is run after every change.
  virtual bool is_connected() const = 0;
};

}  // namespace virttdx
