// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/pseudo_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace virttdx {

Result<PseudoTerminal> PseudoTerminal::create() {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!master) return fail_errno(errno, "cannot open a pseudo-terminal");
  std::array<char, 64> path{};
  if (::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
      ::ptsname_r(master.get(), path.data(), path.size()) != 0)
    return fail_errno(errno, "cannot prepare a pseudo-terminal");
  // The settings stay with the pair while the master is open, so the other side can be closed again: only
  // then can the master tell whether somebody has it open.
  const UniqueFd other(::open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (!other || ::tcgetattr(other.get(), &settings) != 0)
    return fail_errno(errno, "cannot open pseudo-terminal '{}'", path.data());
  ::cfmakeraw(&settings);
  if (::tcsetattr(other.get(), TCSANOW, &settings) != 0)
    return fail_errno(errno, "cannot set pseudo-terminal '{}' to raw mode", path.data());
  return PseudoTerminal(std::move(master), path.data());
}

void PseudoTerminal::write(std::span<const std::byte> bytes) {
  pollfd entry{master_.get(), POLLOUT, 0};
  if (::poll(&entry, 1, 0) <= 0 || (entry.revents & POLLHUP) != 0) return;
  [[maybe_unused]] const auto written = ::write(master_.get(), bytes.data(), bytes.size());
}

std::size_t PseudoTerminal::read(std::span<std::byte> into) {
  const ssize_t count = ::read(master_.get(), into.data(), into.size());
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace virttdx
