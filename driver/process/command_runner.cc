// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/command_runner.h"

#include <fmt/ranges.h>
#include <sys/wait.h>

#include <QStandardPaths>
#include <QString>
#include <algorithm>
#include <utility>

#include "support/log.h"

namespace virttdx::driver {
namespace {

Result<std::string> path_of(const HostCommand& command) {
  const auto name = QString::fromStdString(command.program);
  QString path = QStandardPaths::findExecutable(name);
  if (path.isEmpty()) path = QStandardPaths::findExecutable(name, {"/usr/sbin", "/sbin", "/usr/bin"});
  if (!path.isEmpty()) return path.toStdString();
  return fail(Error::Code::ConfigUnsupported, "cannot find program '{}'; install package {}", command.program,
              command.package);
}

Result<RunningProgram> start(const HostCommand& command) {
  return run_program({.path = TRY(path_of(command)), .arguments = command.arguments, .input = {}});
}

}  // namespace

void CommandRunner::run(std::vector<HostCommand> commands, Done done) {
  std::ranges::reverse(commands);
  start_next({.left = std::move(commands), .running = {}, .program = {}, .done = std::move(done)});
}

void CommandRunner::start_next(Sequence sequence) {
  if (sequence.left.empty()) return sequence.done({});
  sequence.running = std::move(sequence.left.back());
  sequence.left.pop_back();
  auto started = start(sequence.running);
  if (!started) return sequence.done(tl::unexpected(started.error()));
  sequence.program = *std::move(started);
  const pid_t child = sequence.program.pid;
  running_.emplace(child, std::move(sequence));
}

void CommandRunner::child_ended(pid_t child, int status) {
  auto ended = running_.extract(child);
  if (!ended) return;
  Sequence& sequence = ended.mapped();
  const bool succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (succeeded || sequence.running.may_fail) return start_next(std::move(sequence));
  const auto words = last_words(sequence.program);
  sequence.done(fail(Error::Code::Internal, "'{} {}': {}", sequence.running.program,
                     fmt::join(sequence.running.arguments, " "),
                     words.empty() ? describe_end(status) : words));
}

}  // namespace virttdx::driver
