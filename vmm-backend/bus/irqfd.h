// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "bus/interrupt_line.h"
#include "support/result.h"

namespace virttdx {

/// Lets an eventfd that somebody outside of this process signals interrupt the guest without a thread of the
/// monitor (KVM_IRQFD). Any thread.
class IrqfdBus {
 public:
  virtual ~IrqfdBus() = default;
  /// From now on a signal of `eventfd` sends `message`, in place of that of an earlier connect(); one that
  /// nobody has read yet does too. After an error the eventfd is not connected.
  virtual Result<> connect(int eventfd, const MsiMessage& message) = 0;
  /// Signals are for whoever reads the eventfd again. Nothing to do when it is not connected.
  virtual void disconnect(int eventfd) = 0;
};

}  // namespace virttdx
