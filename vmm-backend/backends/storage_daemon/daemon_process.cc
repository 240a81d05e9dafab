// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/storage_daemon/daemon_process.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "backends/storage_daemon/confinement.h"

namespace virttdx {
namespace {

constexpr int kLastWordsMilliseconds = 3'000, kEndMilliseconds = 10'000;
constexpr int kCannotConfine = 126, kCannotRun = 127;

int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
void pidfd_signal(int pidfd, int signal) { ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0); }

/// What the child needs; made before fork(2), behind which only async-signal-safe functions may be called.
struct Preparation {
  std::vector<char*> words;
  std::vector<sock_filter> filter;
  sock_fprog program{};
  pid_t parent = ::getpid();
  const char* path = nullptr;
  std::vector<int> inherited;
};

Result<Preparation> prepare(const DaemonProcess::Command& command) {
  Preparation preparation;
  preparation.path = command.program.c_str();
  preparation.inherited = command.inherited;
  preparation.words.push_back(const_cast<char*>(command.program.c_str()));
  for (const std::string& word : command.arguments)
    preparation.words.push_back(const_cast<char*>(word.c_str()));
  preparation.words.push_back(nullptr);
  preparation.filter = TRY(storage_daemon_filter(command.needs_network));
  preparation.program = {static_cast<unsigned short>(preparation.filter.size()), preparation.filter.data()};
  return preparation;
}

bool keep_over_exec(const std::vector<int>& descriptors) {
  for (const int descriptor : descriptors)
    if (::fcntl(descriptor, F_SETFD, 0) != 0) return false;
  return true;
}

[[noreturn]] void run_child(const Preparation& preparation) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // A dump of it would hold what the guest shares.
  constexpr rlimit kNoDump{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNoDump);
  const int nothing = ::open("/dev/null", O_RDONLY);
  // A parent that has ended meanwhile sends no signal.
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != preparation.parent ||
      ::dup2(nothing, STDIN_FILENO) < 0 || !keep_over_exec(preparation.inherited) ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &preparation.program) != 0)
    ::_exit(kCannotConfine);
  ::execv(preparation.path, preparation.words.data());
  ::_exit(kCannotRun);
}

}  // namespace

Result<std::unique_ptr<DaemonProcess>> DaemonProcess::start(const Command& command) {
  const auto preparation = TRY(prepare(command));
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno(errno, "cannot start '{}'", command.program);
  if (pid == 0) run_child(preparation);
  UniqueFd pidfd(pidfd_open(pid));
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail_errno(error, "cannot watch '{}'", command.program);
  }
  return std::unique_ptr<DaemonProcess>(new DaemonProcess(pid, std::move(pidfd)));
}

DaemonProcess::~DaemonProcess() {
  if (wait(0)) return;
  pidfd_signal(pidfd_.get(), SIGTERM);
  if (wait(kEndMilliseconds)) return;
  pidfd_signal(pidfd_.get(), SIGKILL);
  wait(-1);
}

bool DaemonProcess::wait(int milliseconds) {
  if (is_reaped_) return true;
  pollfd ready{pidfd_.get(), POLLIN, 0};
  int count = 0;
  while ((count = ::poll(&ready, 1, milliseconds)) < 0 && errno == EINTR) continue;
  if (count == 0) return false;
  ::waitpid(pid_, &status_, 0);
  return is_reaped_ = true;
}

std::string DaemonProcess::end_of_life() {
  if (!wait(kLastWordsMilliseconds)) return {};
  if (WIFSIGNALED(status_)) return fmt::format("was ended by signal {}", WTERMSIG(status_));
  if (WEXITSTATUS(status_) == kCannotConfine) return "could not be confined";
  return fmt::format("exited with status {}", WEXITSTATUS(status_));
}

Result<std::string> find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::string rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const auto end = rest.find(':');
    const auto candidate = rest.substr(0, end) + "/" + name;
    if (candidate.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = end == std::string::npos ? std::string() : rest.substr(end + 1);
  }
  return fail(Error::Code::NotFound, "there is no program '{}' in PATH", name);
}

}  // namespace virttdx
