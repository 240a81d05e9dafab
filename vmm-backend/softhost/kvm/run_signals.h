// SPDX-License-Identifier: GPL-2.0-or-later
// Signals while a thread is inside an ioctl of the host.
#pragma once

#include <csignal>
#include <optional>

#include "support/unique_fd.h"

namespace virttdx::softhost {

/// While it lives, the thread's signals stay pending instead of being handled, as they do while a thread is
/// inside the kernel; afterwards the thread's own mask is in force again. One thread's object.
class RunSignals {
 public:
  /// `mask`: the signals that stay blocked and do not interrupt (KVM_SET_SIGNAL_MASK); nothing: the thread's
  /// own mask.
  explicit RunSignals(const std::optional<sigset_t>& mask);
  ~RunSignals();
  RunSignals(const RunSignals&) = delete;
  RunSignals& operator=(const RunSignals&) = delete;

  /// A signal is pending that the mask lets through.
  bool pending() const;
  /// Those signals: what a wait must also wake for.
  const sigset_t& interrupting() const { return interrupting_; }

 private:
  sigset_t previous_;
  sigset_t interrupting_;
};

}  // namespace virttdx::softhost
