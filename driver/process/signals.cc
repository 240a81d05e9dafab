// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace virttdx::driver {

Result<std::unique_ptr<SignalWatcher>> SignalWatcher::create(std::function<void()> quit,
                                                             ChildHandler child_ended) {
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return fail_errno(errno, "block signals");
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno(errno, "create a signal descriptor");
  return std::unique_ptr<SignalWatcher>(
      new SignalWatcher(std::move(fd), std::move(quit), std::move(child_ended)));
}

SignalWatcher::SignalWatcher(UniqueFd fd, std::function<void()> quit, ChildHandler child_ended)
    : fd_(std::move(fd)),
      quit_(std::move(quit)),
      child_ended_(std::move(child_ended)),
      readable_(fd_.get(), QSocketNotifier::Read) {
  QObject::connect(&readable_, &QSocketNotifier::activated, &readable_, [this] { read_signals(); });
}

void SignalWatcher::read_signals() {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
    if (info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM) quit_();
  int status = 0;
  for (pid_t child = waitpid(-1, &status, WNOHANG); child > 0; child = waitpid(-1, &status, WNOHANG))
    child_ended_(child, status);
}

}  // namespace virttdx::driver
