// SPDX-License-Identifier: GPL-2.0-or-later
// A thread of its own: a terminal that is stopped (Ctrl-S) may block it, and nothing else.
#include "control/host_terminal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace virttdx {
namespace {

constexpr char kEscape = 0x01;  // Ctrl-A

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EAGAIN) {
      pollfd entry{fd, POLLOUT, 0};
      ::poll(&entry, 1, -1);
      continue;
    }
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<std::unique_ptr<HostTerminal>> HostTerminal::create(UniqueFd console, std::function<void()> on_leave) {
  std::unique_ptr<HostTerminal> terminal(new HostTerminal(std::move(console), std::move(on_leave)));
  terminal->end_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!terminal->end_) return fail_errno(errno, "cannot create an eventfd");
  TRY(terminal->enter_raw_mode());
  terminal->thread_ = std::thread([raw = terminal.get()] { raw->run(); });
  return terminal;
}

HostTerminal::~HostTerminal() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(end_.get(), &one, sizeof one);
    thread_.join();
  }
  if (saved_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
}

Result<> HostTerminal::enter_raw_mode() {
  if (::isatty(STDIN_FILENO) == 0) return {};
  termios settings{};
  if (::tcgetattr(STDIN_FILENO, &settings) != 0)
    return fail_errno(errno, "cannot read the terminal's settings");
  saved_ = settings;
  ::cfmakeraw(&settings);
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &settings) != 0)
    return fail_errno(errno, "cannot set the terminal to raw mode");
  return {};
}

void HostTerminal::run() {
  std::array<pollfd, 3> entries{
      {{console_.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {end_.get(), POLLIN, 0}}};
  auto& [console, input, end] = entries;
  while (true) {
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
    // A descriptor of -1 is left out by poll().
    if (console.revents != 0 && !copy_output()) console.fd = -1;
    if (input.revents != 0 && !copy_input()) input.fd = -1;
    if (end.revents != 0) return drain_output();
  }
}

bool HostTerminal::copy_output() {
  std::array<char, 4096> buffer;
  const ssize_t count = ::read(console_.get(), buffer.data(), buffer.size());
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  write_all(STDOUT_FILENO, {buffer.data(), static_cast<std::size_t>(count)});
  return true;
}

// What the guest wrote last is often what matters most.
void HostTerminal::drain_output() {
  pollfd entry{console_.get(), POLLIN, 0};
  while (::poll(&entry, 1, 0) > 0 && copy_output()) {
  }
}

bool HostTerminal::copy_input() {
  std::array<char, 256> buffer;
  const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) {
    if (saved_) on_leave_();  // the terminal is gone; of a file or pipe it is only the end of the input
    return false;
  }
  std::string typed;
  for (const char key : std::string_view(buffer.data(), static_cast<std::size_t>(count))) {
    if (is_leave_key(key)) {
      on_leave_();
      return false;
    }
    if (!escaped_) typed += key;
  }
  write_all(console_.get(), typed);
  return true;
}

// Keeps escaped_: true while the key after Ctrl-A is awaited.
bool HostTerminal::is_leave_key(char key) {
  const bool was_escaped = escaped_;
  escaped_ = saved_ && key == kEscape && !was_escaped;
  return was_escaped && (key == 'x' || key == 'X');
}

}  // namespace virttdx
