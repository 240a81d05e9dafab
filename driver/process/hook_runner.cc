// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/hook_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "support/log.h"

namespace virttdx::driver {
namespace {

// Of what a script has to say, the end is what says why it failed.
constexpr off_t kErrorsShown = 1024;

bool is_executable(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

// The child reads it from its start.
Result<UniqueFd> memory_file(const char* name, std::string_view content) {
  UniqueFd file(memfd_create(name, MFD_CLOEXEC));
  if (!file) return fail_errno(errno, "create a file in memory for a hook script");
  while (!content.empty()) {
    const ssize_t size = write(file.get(), content.data(), content.size());
    if (size < 0) return fail_errno(errno, "write {} bytes for a hook script", content.size());
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno(errno, "rewind a file in memory");
  return file;
}

std::string end_of(int file) {
  const off_t size = lseek(file, 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::clamp<off_t>(size, 0, kErrorsShown)), '\0');
  const ssize_t got = pread(file, text.data(), text.size(), std::max<off_t>(size - kErrorsShown, 0));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::ranges::replace(text, '\n', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return fmt::format("fatal signal {}", WTERMSIG(status));
  return fmt::format("unexpected exit status {}", WEXITSTATUS(status));
}

struct FileActions {
  FileActions() { posix_spawn_file_actions_init(&actions); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t actions{};
};

// A session of its own, so that all of it can be killed; the daemon's blocked signals are none of its
// business.
struct SpawnAttributes {
  SpawnAttributes() {
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t attributes{};
};

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
  const auto child = spawn(script);
  if (!child) return script.done(tl::unexpected(child.error()));
  running_.emplace(*child, std::move(script));
}

Result<pid_t> HookRunner::spawn(Script& script) const {
  const auto input = TRY(memory_file("hook-input", script.call.input));
  script.errors = TRY(memory_file("hook-errors", ""));
  FileActions files;
  posix_spawn_file_actions_adddup2(&files.actions, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files.actions, script.errors.get(), STDERR_FILENO);
  const SpawnAttributes attributes;
  std::array<std::string, 5> words = {script.path.native(), script.call.object,
                                      std::string(script.call.operation),
                                      std::string(script.call.sub_operation), script.call.extra};
  std::array<char*, 6> arguments{};
  std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
  pid_t child = 0;
  const int error = posix_spawn(&child, script.path.c_str(), &files.actions, &attributes.attributes,
                                arguments.data(), environ);
  if (error != 0) return fail_errno(error, "Hook script execution failed: '{}'", script.path.native());
  log::info("hook '{}' runs: {} {} {}", script.path.native(), script.call.object, script.call.operation,
            script.call.sub_operation);
  return child;
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
  const std::string errors = end_of(script.errors.get());
  script.done(fail(Error::Code::Internal, "Hook script execution failed: '{} {} {} {} {}': {}{}{}",
                   script.path.native(), script.call.object, script.call.operation, script.call.sub_operation,
                   script.call.extra, describe(status), errors.empty() ? "" : ": ", errors));
}

}  // namespace virttdx::driver
