// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace virttdx::driver {

Result<std::unique_ptr<SignalWatcher>> SignalWatcher::create(Handlers handlers) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return fail_errno(errno, "block signals");
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno(errno, "create a signal descriptor");
  return std::unique_ptr<SignalWatcher>(new SignalWatcher(std::move(fd), std::move(handlers)));
}

SignalWatcher::SignalWatcher(UniqueFd fd, Handlers handlers)
    : fd_(std::move(fd)), handlers_(std::move(handlers)), readable_(fd_.get(), QSocketNotifier::Read) {
  QObject::connect(&readable_, &QSocketNotifier::activated, &readable_, [this] { read_signals(); });
}

void SignalWatcher::read_signals() {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM) handlers_.quit();
    if (info.ssi_signo == SIGHUP) handlers_.reload();
  }
  int status = 0;
  for (pid_t child = waitpid(-1, &status, WNOHANG); child > 0; child = waitpid(-1, &status, WNOHANG))
    handlers_.child_ended(child, status);
}

}  // namespace virttdx::driver
