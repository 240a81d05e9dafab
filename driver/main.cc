// SPDX-License-Identifier: GPL-2.0-or-later
#include <QCoreApplication>
#include <cstdio>
#include <vector>

#include "api/daemon.h"
#include "config/command_line.h"
#include "config/daemon_lock.h"
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

Result<> start_log(const DaemonConfig& config) {
  const auto outputs = config.log_outputs.value_or(std::vector{LogOutput()});
  set_default_log_outputs(outputs);
  log::set_threshold(config.log_level);
  use_log_filters(config.log_filters);
  return use_log_outputs(outputs);
}

Result<> serve(const CommandLine& line, Daemon& daemon, const Directories& directories) {
  if (line.idle_timeout_seconds > 0)
    daemon.end_when_idle(std::chrono::seconds(line.idle_timeout_seconds), QCoreApplication::quit);
  log::info("virttdxd {} listens on '{}'", VIRTTDX_VERSION, directories.socket().native());
  notify_ready();
  QCoreApplication::exec();
  notify_stopping();
  return {};
}

Result<> run(const CommandLine& line) {
  auto activated = TRY(take_activated_sockets());
  Directories directories = TRY(find_directories(line.root));
  if (line.config_file) directories.config_file = *line.config_file;
  DaemonConfig config = TRY(load_daemon_config(directories.config_file, line.config_file.has_value()));
  if (line.host) config.host = *line.host;
  TRY(start_log(config));
  TRY(create_directories(directories));
  const UniqueFd lock = TRY(take_daemon_lock(directories.lock_file()));
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
  TRY(serve(line, daemon, directories));
  hook.shutdown();
  log::info("virttdxd ends; running domains go on");
  return {};
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
  QCoreApplication application(argc, argv);
  if (const auto done = driver::run(*line); !done) {
    log::error("{}", done.error().message());
    return 1;
  }
  return 0;
}
