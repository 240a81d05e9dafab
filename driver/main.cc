// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <QCoreApplication>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "api/daemon.h"
#include "config/background.h"
#include "config/command_line.h"
#include "config/daemon_lock.h"
#include "config/host_uuid.h"
#include "config/service_manager.h"
#include "process/daemon_hook.h"
#include "process/signals.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// A log file that was rotated away is opened anew.
void reopen_log() {
  if (const auto opened = use_log_outputs(current_log_outputs()); !opened)
    log::error("log outputs: {}", opened.error().message());
}

void reload(DaemonHook& hook, DomainService& service) {
  log::info("reloading");
  reopen_log();
  hook.reload([&service] { service.reload(); });
}

// libvirt's: standard error is the terminal's or the service manager's, and /dev/null in the background.
LogOutput default_log_output(bool background, const Directories& directories) {
  if (!background) return {};
  if (access("/run/systemd/journal/socket", W_OK) == 0)
    return {.destination = LogDestination::Journald, .target = {}};
  // A session keeps the logs of domains one directory further down.
  const auto domains = directories.per_user ? directories.log.parent_path() : directories.log;
  return {.destination = LogDestination::File, .target = domains.parent_path() / "virttdxd.log"};
}

Result<> start_log(const CommandLine& line, const DaemonConfig& config, const Directories& directories) {
  set_default_log_output(default_log_output(line.background, directories));
  log::set_threshold(line.verbose ? std::min(config.log_level, log::Priority::Info) : config.log_level);
  use_log_filters(config.log_filters);
  TRY(use_log_outputs(config.log_outputs));
  for (const auto& warning : config.warnings) log::warning("{}", warning);
  return {};
}

void serve(Daemon& daemon, Starter& starter) {
  log::info("virttdxd {} listens on '{}'", VIRTTDX_VERSION, daemon.socket().native());
  notify_ready();
  starter.tell_ready();
  QCoreApplication::exec();
  notify_stopping();
}

Result<DaemonConfig> load_config(const CommandLine& line, const Directories& directories) {
  DaemonConfig config = TRY(load_daemon_config(directories.config_file, line.config_file.has_value()));
  if (line.host) config.host = *line.host;
  config.host_uuid = TRY(configured_host_uuid(config));
  return config;
}

Result<> run(const CommandLine& line, Starter& starter) {
  auto activated = TRY(take_activated_sockets());
  Directories directories = TRY(find_directories(line.root));
  if (line.config_file) directories.config_file = *line.config_file;
  const DaemonConfig config = TRY(load_config(line, directories));
  TRY(create_directories(directories));
  TRY(start_log(line, config, directories));
  const UniqueFd lock = TRY(take_daemon_lock(directories.lock_file()));
  std::optional<PidFile> pid_file;
  if (line.pid_file) pid_file = TRY(PidFile::take(*line.pid_file));
  const auto monitor = TRY(find_monitor());
  // Before signals are blocked: the child that tells the capabilities is waited for here.
  SystemBus bus;
  DomainService service(directories, open_host(config, monitor), bus,
                        std::chrono::seconds(config.monitor_timeout));
  DaemonHook hook(directories.config.parent_path() / "hooks");
  bool is_ending = false;
  const auto signals = TRY(SignalWatcher::create({.quit =
                                                      [&] {
                                                        is_ending = true;
                                                        hook.interrupt();
                                                        QCoreApplication::quit();
                                                      },
                                                  .reload = [&] { reload(hook, service); },
                                                  .child_ended =
                                                      [&](pid_t child, int status) {
                                                        service.child_ended(child, status);
                                                        hook.child_ended(child, status);
                                                      }}));
  hook.start();
  if (is_ending) return {};
  Daemon daemon(config, directories, service, bus);
  service.load();
  TRY(daemon.listen(std::move(activated)));
  if (line.background && chdir("/") != 0) return fail_errno(errno, "change to the root directory");
  daemon.on_idle(QCoreApplication::quit);
  daemon.set_idle_timeout(std::chrono::seconds(line.idle_timeout_seconds));
  serve(daemon, starter);
  hook.shutdown();
  daemon.close_connections();
  log::info("virttdxd ends; running domains go on");
  return {};
}

// The background is the root directory's, and the paths of the command line are those of the one it was typed
// in.
Result<Starter> detach(CommandLine& line) {
  for (auto* path : {&line.config_file, &line.root, &line.pid_file})
    if (*path) *path = std::filesystem::absolute(**path);
  return go_to_background();
}

int start(CommandLine line, int argc, char** argv) {
  Starter starter;
  if (line.background) {
    auto started = detach(line);
    if (!started) {
      std::fprintf(stderr, "virttdxd: %s\n", started.error().message().c_str());
      return 1;
    }
    starter = *std::move(started);
  }
  QCoreApplication application(argc, argv);
  const auto done = run(line, starter);
  if (done) return 0;
  log::error("{}", done.error().message());
  starter.tell_failed(done.error().message());
  return 1;
}

}  // namespace
}  // namespace virttdx::driver

int main(int argc, char** argv) {
  using namespace virttdx;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const auto line = driver::parse_command_line(arguments);
  if (!line) {
    std::fprintf(stderr, "virttdxd: %s\n", line.error().message().c_str());
    return 2;
  }
  if (line->help) return std::fputs(driver::usage().data(), stdout) < 0 ? 1 : 0;
  if (line->version) return std::puts("virttdxd " VIRTTDX_VERSION) < 0 ? 1 : 0;
  return driver::start(*line, argc, argv);
}
