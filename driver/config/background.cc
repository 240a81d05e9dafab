// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/background.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace virttdx::driver {
namespace {

constexpr char kReady = '\0';

// Ends when the daemon has said something, or no process holds the other end any more.
[[noreturn]] void wait_for_daemon(int pipe) {
  std::string told;
  std::array<char, 4096> buffer;
  while (told.empty() || told.front() != kReady) {
    const ssize_t size = read(pipe, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    told.append(buffer.data(), static_cast<std::size_t>(size));
  }
  if (!told.empty() && told.front() == kReady) _exit(EXIT_SUCCESS);
  std::fprintf(stderr, "virttdxd: %s\n",
               told.empty() ? "the daemon ended before it served; its log says why" : told.c_str());
  _exit(EXIT_FAILURE);
}

Result<> close_standard_streams() {
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return fail_errno(errno, "open /dev/null");
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (dup2(null.get(), stream) < 0)
      return fail_errno(errno, "put /dev/null in place of descriptor {}", stream);
  return {};
}

}  // namespace

void Starter::tell(std::string_view text) {
  if (!pipe_) return;
  [[maybe_unused]] const auto written = write(pipe_.get(), text.data(), text.size());
  pipe_.reset();
}

void Starter::tell_ready() { tell({&kReady, 1}); }

void Starter::tell_failed(std::string_view message) { tell(message); }

Result<Starter> go_to_background() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "create a pipe");
  UniqueFd read_end(ends[0]);
  Starter starter{UniqueFd(ends[1])};
  const pid_t child = fork();
  if (child < 0) return fail_errno(errno, "fork");
  if (child > 0) {
    starter = Starter();
    wait_for_daemon(read_end.get());
  }
  if (setsid() < 0) return fail_errno(errno, "setsid");
  // Who does not lead the session never gets a terminal again.
  const pid_t grandchild = fork();
  if (grandchild < 0) return fail_errno(errno, "fork");
  if (grandchild > 0) _exit(EXIT_SUCCESS);
  TRY(close_standard_streams());
  return starter;
}

}  // namespace virttdx::driver
