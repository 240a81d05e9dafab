// SPDX-License-Identifier: GPL-2.0-or-later
#include "process/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "support/log.h"

namespace virttdx::driver {
namespace {

// Of what a program has to say, the end is what says why it failed.
constexpr off_t kErrorsShown = 1024;

// The child reads it from its start.
Result<UniqueFd> memory_file(const char* name, std::string_view content) {
  UniqueFd file(memfd_create(name, MFD_CLOEXEC));
  if (!file) return fail_errno(errno, "create a file in memory");
  while (!content.empty()) {
    const ssize_t size = write(file.get(), content.data(), content.size());
    if (size < 0) return fail_errno(errno, "write {} bytes to a file in memory", content.size());
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno(errno, "rewind a file in memory");
  return file;
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

Result<RunningProgram> run_program(const ProgramCall& call) {
  const auto input = TRY(memory_file("input", call.input));
  RunningProgram program;
  program.errors = TRY(memory_file("errors", ""));
  FileActions files;
  posix_spawn_file_actions_adddup2(&files.actions, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files.actions, program.errors.get(), STDERR_FILENO);
  // To itself: it loses FD_CLOEXEC.
  for (const int descriptor : call.inherited)
    posix_spawn_file_actions_adddup2(&files.actions, descriptor, descriptor);
  const SpawnAttributes attributes;
  std::vector<char*> words = {const_cast<char*>(call.path.c_str())};
  for (const auto& argument : call.arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const int error = posix_spawn(&program.pid, call.path.c_str(), &files.actions, &attributes.attributes,
                                words.data(), environ);
  if (error != 0) return fail_errno(error, "cannot run '{}'", call.path.native());
  log::debug("process {}: '{}' {}", program.pid, call.path.native(), fmt::join(call.arguments, " "));
  return program;
}

std::string last_words(const RunningProgram& program) {
  const off_t size = lseek(program.errors.get(), 0, SEEK_END);
  std::string text(static_cast<std::size_t>(std::clamp<off_t>(size, 0, kErrorsShown)), '\0');
  const ssize_t got =
      pread(program.errors.get(), text.data(), text.size(), std::max<off_t>(size - kErrorsShown, 0));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  std::ranges::replace(text, '\n', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return fmt::format("fatal signal {}", WTERMSIG(status));
  return fmt::format("unexpected exit status {}", WEXITSTATUS(status));
}

}  // namespace virttdx::driver
