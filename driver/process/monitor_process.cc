// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/monitor_process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "process/process_stat.h"

namespace virttdx::driver {
namespace {

constexpr std::chrono::milliseconds kRetryInterval{10};
constexpr std::chrono::milliseconds kRetryIntervalMaximum{500};

Result<ProcessStat> stat_of(const MonitorProcess& process) {
  if (process.pid <= 0) return fail(Error::Code::NotFound, "no process");
  const ProcessStat stat = TRY(read_process_stat(process.pid));
  if (stat.start_time != process.start_time || stat.state == 'Z' || stat.state == 'X')
    return fail(Error::Code::NotFound, "process {} has ended", process.pid);
  return stat;
}

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "create a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool is_told_to_go_on(int permission) {
  char byte = 0;
  ssize_t size = 0;
  do size = read(permission, &byte, sizeof(byte));
  while (size < 0 && errno == EINTR);
  return size == sizeof(byte);
}

struct Child {
  std::vector<char*> arguments;
  const std::vector<int>& inherited;
  int log, report;
};

bool keep_over_exec(const std::vector<int>& descriptors) {
  for (const int descriptor : descriptors)
    if (fcntl(descriptor, F_SETFD, 0) != 0) return false;
  return true;
}

// Between fork and exec only what signal-safety(7) allows.
[[noreturn]] void become_monitor(const Child& child, const Pipe& permission) {
  close(permission.write_end.get());
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!is_told_to_go_on(permission.read_end.get())) _exit(0);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(child.log, STDOUT_FILENO) >= 0 &&
      dup2(child.log, STDERR_FILENO) >= 0 && keep_over_exec(child.inherited))
    execv(child.arguments[0], child.arguments.data());
  const int error = errno;
  [[maybe_unused]] const auto written = write(child.report, &error, sizeof(error));
  _exit(127);
}

// In DomainStore::channel_directory(), beside the control socket; made for a TD that has a vsock only.
std::filesystem::path vsock_socket(std::filesystem::path control_socket) {
  return control_socket.replace_extension(".sockets") / "vsock";
}

std::vector<std::string> words_of(const MonitorCommand& command) {
  std::vector<std::string> words = {command.binary.native(), "--config", command.config_file.native(),
                                    "--control-socket", command.control_socket.native()};
  if (!command.soft_profile.empty())
    words.insert(words.end(), {"--soft-profile", command.soft_profile.native()});
  words.insert(words.end(), {"--vsock-socket", vsock_socket(command.control_socket).native()});
  return words;
}

}  // namespace

WaitingMonitor::WaitingMonitor(std::filesystem::path binary, UniqueFd permission, UniqueFd report)
    : binary_(std::move(binary)), permission_(std::move(permission)), report_(std::move(report)) {}

Result<> WaitingMonitor::go_on() const {
  const char byte = 1;
  if (write(permission_.get(), &byte, sizeof(byte)) != sizeof(byte))
    return fail_errno(errno, "tell the new process to go on");
  int error = 0;
  ssize_t size = 0;
  do size = read(report_.get(), &error, sizeof(error));
  while (size < 0 && errno == EINTR);
  if (size == static_cast<ssize_t>(sizeof(error)))
    return fail_errno(error, "run monitor '{}'", binary_.native());
  return {};
}

Result<WaitingMonitor> fork_monitor(const MonitorCommand& command,
                                    const std::function<void(const MonitorProcess&)>& record) {
  UniqueFd log(open(command.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return fail_errno(errno, "open log file '{}'", command.log_file.native());
  Pipe permission = TRY(make_pipe());
  Pipe report = TRY(make_pipe());
  auto words = words_of(command);
  Child child{{}, command.inherited, log.get(), report.write_end.get()};
  for (auto& word : words) child.arguments.push_back(word.data());
  child.arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return fail_errno(errno, "fork for monitor '{}'", command.binary.native());
  if (pid == 0) become_monitor(child, permission);
  report.write_end.reset();
  const auto stat = read_process_stat(pid);
  record({pid, stat ? stat->start_time : 0, command.control_socket});
  return WaitingMonitor(command.binary, std::move(permission.write_end), std::move(report.read_end));
}

bool is_alive(const MonitorProcess& process) { return stat_of(process).has_value(); }

void signal_process(const MonitorProcess& process, int signal) {
  if (is_alive(process)) kill(process.pid, signal);
}

std::uint64_t cpu_time_ns(const MonitorProcess& process) {
  const auto stat = stat_of(process);
  return stat ? ticks_to_ns(stat->user_ticks + stat->system_ticks) : 0;
}

std::uint64_t resident_kib(const MonitorProcess& process) {
  const auto stat = stat_of(process);
  return stat ? stat->resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024 : 0;
}

MonitorConnector::MonitorConnector(MonitorProcess process, std::chrono::milliseconds patience,
                                   Handler handler)
    : process_(std::move(process)),
      deadline_(std::chrono::steady_clock::now() + patience),
      handler_(std::move(handler)) {
  QObject::connect(&timer_, &QTimer::timeout, &timer_, [this] { try_once(); });
  timer_.start(kRetryInterval);
}

void MonitorConnector::try_once() {
  // Asked first: what a monitor said before it ended is there to be read once it has ended.
  const bool alive = is_alive(process_);
  auto connected = attempt();
  if (connected && *connected) return finish(*std::exchange(begun_, std::nullopt));
  if (!connected) begun_.reset();
  if (!alive) return finish(fail(Error::Code::WrongState, "the monitor ended at once"));
  timer_.setInterval(std::min(timer_.intervalAsDuration() * 5 / 4, kRetryIntervalMaximum));
  if (std::chrono::steady_clock::now() < deadline_) return;
  finish(connected ? fail(Error::Code::TimedOut, "the monitor does not answer")
                   : tl::unexpected(connected.error()));
}

Result<bool> MonitorConnector::attempt() {
  if (!begun_) begun_ = TRY(ControlClient::begin(process_.control_socket));
  return begun_->greeted();
}

void MonitorConnector::finish(Result<ControlClient> result) {
  timer_.stop();
  handler_(std::move(result));
}

}  // namespace virttdx::driver
