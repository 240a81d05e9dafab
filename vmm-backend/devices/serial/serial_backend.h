// SPDX-License-Identifier: GPL-2.0-or-later
// Where a serial port's bytes go and come from.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace virttdx {

/// Any thread. write() and read() never block and are called under the port's lock; they must not call the
/// port. A back end outlives the ports it serves: one after the other when a reset makes a new TD.
class SerialBackend {
 public:
  virtual ~SerialBackend() = default;
  /// Takes every byte the guest sent; what nobody listens to may be dropped.
  virtual void write(std::span<const std::byte> bytes) = 0;
  /// Moves input into `into`; the number of bytes moved, 0 when there is none.
  virtual std::size_t read(std::span<std::byte> into) = 0;
  /// `listener` is called from any thread after input has arrived, with no lock held that read() or write()
  /// takes. When this returns, the previous listener is not running and will not be called again. nullptr:
  /// none.
  virtual void set_input_listener(std::function<void()> listener) = 0;
};

}  // namespace virttdx
