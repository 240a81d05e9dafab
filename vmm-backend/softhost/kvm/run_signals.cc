// SPDX-License-Identifier: GPL-2.0-or-later
#include "softhost/kvm/run_signals.h"

#include <pthread.h>

namespace virttdx::softhost {
namespace {

// Blocking these would turn a fault of this process into its death without a word.
constexpr int kSynchronous[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};

sigset_t all_asynchronous() {
  sigset_t set;
  sigfillset(&set);
  for (const int signal : kSynchronous) sigdelset(&set, signal);
  return set;
}

}  // namespace

RunSignals::RunSignals(const std::optional<sigset_t>& mask) {
  const sigset_t blocked = all_asynchronous();
  pthread_sigmask(SIG_BLOCK, &blocked, &previous_);
  const sigset_t& effective = mask ? *mask : previous_;
  sigemptyset(&interrupting_);
  for (int signal = 1; signal < NSIG; ++signal)
    if (sigismember(&blocked, signal) == 1 && sigismember(&effective, signal) == 0)
      sigaddset(&interrupting_, signal);
}

RunSignals::~RunSignals() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

bool RunSignals::pending() const {
  sigset_t waiting;
  if (sigpending(&waiting) != 0) return false;
  sigset_t both;
  sigandset(&both, &waiting, &interrupting_);
  return sigisemptyset(&both) == 0;
}

}  // namespace virttdx::softhost
