// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/hook_runner.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "support/log.h"

namespace virttdx::driver {
namespace {

bool is_executable(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

HookRunner::HookRunner(std::filesystem::path directory, std::string_view driver)
    : directory_(std::move(directory)), driver_(driver) {}

std::vector<std::filesystem::path> HookRunner::scripts() const {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  const auto folder = directory_ / (driver_ + ".d");
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (is_executable(at->path())) found.push_back(at->path());
  std::ranges::sort(found, std::greater());
  if (is_executable(directory_ / driver_)) found.push_back(directory_ / driver_);
  return found;
}

void HookRunner::run(HookCall call, Done done) {
  Script script;
  script.call = std::move(call);
  script.next = scripts();
  script.done = std::move(done);
  start_next(std::move(script));
}

void HookRunner::start_next(Script script) {
  if (script.next.empty()) return script.done({});
  script.path = std::move(script.next.back());
  script.next.pop_back();
  const auto& call = script.call;
  auto program = run_program(
      {.path = script.path,
       .arguments = {call.object, std::string(call.operation), std::string(call.sub_operation), call.extra},
       .input = call.input});
  if (!program)
    return script.done(
        tl::unexpected<Error>(std::move(program).error().with_context("Hook script execution failed")));
  log::info("hook '{}' runs: {} {} {}", script.path.native(), call.object, call.operation,
            call.sub_operation);
  script.program = *std::move(program);
  const pid_t child = script.program.pid;
  running_.emplace(child, std::move(script));
}

void HookRunner::interrupt(std::string_view object) {
  for (const auto& [child, script] : running_)
    if (script.call.object == object) kill(-child, SIGKILL);
}

void HookRunner::child_ended(pid_t child, int status) {
  const auto found = running_.find(child);
  if (found == running_.end()) return;
  Script script = std::move(found->second);
  running_.erase(found);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return start_next(std::move(script));
  const std::string errors = last_words(script.program);
  script.done(fail(Error::Code::Internal, "Hook script execution failed: '{} {} {} {} {}': {}{}{}",
                   script.path.native(), script.call.object, script.call.operation, script.call.sub_operation,
                   script.call.extra, describe_end(status), errors.empty() ? "" : ": ", errors));
}

}  // namespace virttdx::driver
