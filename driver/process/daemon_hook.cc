// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/daemon_hook.h"

#include <QEventLoop>

#include "support/log.h"

namespace virttdx::driver {
namespace {

void log_failure(const Result<>& ended) {
  if (!ended) log::error("{}", ended.error().message());
}

}  // namespace

void DaemonHook::run_to_end(std::string_view operation) {
  QEventLoop loop;
  bool ended = false;
  scripts_.run(
      {.object = kDaemon, .operation = operation, .sub_operation = "-", .extra = std::string(operation)},
      [&](const Result<>& result) {
        log_failure(result);
        ended = true;
        loop.quit();
      });
  while (!ended) loop.exec();
}

void DaemonHook::reload(std::function<void()> done) {
  scripts_.run({.object = kDaemon, .operation = "reload", .extra = "SIGHUP"},
               [done = std::move(done)](const Result<>& result) {
                 log_failure(result);
                 done();
               });
}

}  // namespace virttdx::driver
