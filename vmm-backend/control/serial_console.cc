// SPDX-License-Identifier: GPL-2.0-or-later
// Input stays in the kernel's buffers until the port asks for it, so a guest that does not read holds its
// writers back instead of filling the monitor's memory. Watches are edge-triggered for the same reason: an
// edge sets input_waits_, which saves a system call on every poll of a guest that has no input.
#include "control/serial_console.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "support/log.h"

namespace virttdx {
namespace {

constexpr std::uint32_t kInputEvents = EPOLLIN | EPOLLET;
constexpr std::size_t kLastInputMaximum = 64 << 10;

}  // namespace

Result<std::unique_ptr<SerialConsole>> SerialConsole::create(EventLoop& loop, const SerialConfig& config) {
  std::unique_ptr<SerialConsole> console(new SerialConsole(loop, config.port));
  TRY(console->open_log(config));
  if (config.pty) TRY(console->open_terminal());
  return console;
}

SerialConsole::~SerialConsole() {
  if (terminal_) loop_.remove(terminal_watch_);
  const std::lock_guard lock(mutex_);
  detach();
}

Result<> SerialConsole::open_log(const SerialConfig& config) {
  if (!config.log_file) return {};
  // O_NONBLOCK is for a FIFO: the guest waits for no reader of its log.
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_APPEND;
  log_ = UniqueFd(::open(config.log_file->c_str(), config.log_append ? flags : flags | O_TRUNC, 0600));
  if (!log_) return fail_errno(errno, "cannot open the log '{}' of serial port {}", *config.log_file, port_);
  return {};
}

Result<> SerialConsole::open_terminal() {
  terminal_ = TRY(PseudoTerminal::create());
  terminal_watch_ =
      TRY(loop_.add(terminal_->fd(), kInputEvents, [this](std::uint32_t) { on_terminal_event(); }));
  return {};
}

Result<UniqueFd> SerialConsole::attach(bool force) {
  std::array<int, 2> pair{-1, -1};
  std::unique_lock lock(mutex_);
  if (attachment_ && !force)
    return fail(Error::Code::Busy, "serial port {} is attached to another console; force to end that one",
                port_);
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0)
    return fail_errno(errno, "cannot create the console of serial port {}", port_);
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  detach();
  attachment_watch_ =
      TRY(loop_.add(ours.get(), kInputEvents, [this](std::uint32_t events) { on_attachment_event(events); }));
  attachment_ = std::move(ours);
  attachment_full_ = false;
  trim_unseen();
  send_unseen();
  lock.unlock();
  notify_input();  // the older attachment may have left some
  return theirs;
}

SerialStatus SerialConsole::status() const {
  const std::lock_guard lock(mutex_);
  return {port_, terminal_ ? terminal_->path() : std::string(), static_cast<bool>(attachment_)};
}

void SerialConsole::write(std::span<const std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  write_log(bytes);
  if (terminal_) terminal_->write(bytes);
  keep_unseen(bytes);
  send_unseen();
}

std::size_t SerialConsole::read(std::span<std::byte> into) {
  if (into.empty() || !input_waits_.exchange(false)) return 0;
  const std::lock_guard lock(mutex_);
  const auto count = read_sources(into);
  // Only an empty answer says that the sources are drained.
  if (count > 0) input_waits_ = true;
  return count;
}

void SerialConsole::set_input_listener(std::function<void()> listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

void SerialConsole::on_terminal_event() { notify_input(); }

void SerialConsole::on_attachment_event(std::uint32_t events) {
  {
    const std::lock_guard lock(mutex_);
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      detach();
    } else if ((events & EPOLLOUT) != 0) {
      attachment_full_ = false;
      loop_.change(attachment_watch_, kInputEvents);
      send_unseen();
    }
  }
  notify_input();
}

void SerialConsole::notify_input() {
  input_waits_ = true;
  const std::lock_guard lock(listener_mutex_);
  if (listener_) listener_();
}

void SerialConsole::write_log(std::span<const std::byte> bytes) {
  if (!log_ || ::write(log_.get(), bytes.data(), bytes.size()) >= 0 || errno == EAGAIN) return;
  if (!std::exchange(log_failed_, true))
    log::warning("serial port {}: log lost: {}", port_, std::strerror(errno));
}

void SerialConsole::keep_unseen(std::span<const std::byte> bytes) {
  // SAFETY: bytes and char alias anything.
  unseen_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // Twice the size, so that a full buffer is not moved for every byte.
  if (unseen_.size() >= 2 * kUnseenOutputMaximum) trim_unseen();
}

void SerialConsole::trim_unseen() {
  if (unseen_.size() > kUnseenOutputMaximum) unseen_.erase(0, unseen_.size() - kUnseenOutputMaximum);
}

void SerialConsole::send_unseen() {
  while (attachment_ && !attachment_full_ && !unseen_.empty()) {
    const ssize_t count = ::send(attachment_.get(), unseen_.data(), unseen_.size(), MSG_NOSIGNAL);
    if (count > 0) {
      unseen_.erase(0, static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      attachment_full_ = true;
      loop_.change(attachment_watch_, kInputEvents | EPOLLOUT);
    } else if (errno != EINTR) {
      return;  // closed by its holder: the loop gets EPOLLHUP, and what is left is for the next attachment
    }
  }
}

void SerialConsole::detach() {
  if (!attachment_) return;
  // What its holder typed last is still for the guest.
  std::array<std::byte, 4096> buffer;
  ssize_t count = 0;
  while (last_input_.size() < kLastInputMaximum &&
         (count = ::read(attachment_.get(), buffer.data(), buffer.size())) > 0)
    last_input_.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(count));
  loop_.remove(attachment_watch_);
  attachment_.reset();
}

std::size_t SerialConsole::read_sources(std::span<std::byte> into) {
  if (!last_input_.empty()) {
    const auto count = std::min(last_input_.size(), into.size());
    std::memcpy(into.data(), last_input_.data(), count);
    last_input_.erase(0, count);
    return count;
  }
  if (attachment_) {
    const ssize_t count = ::read(attachment_.get(), into.data(), into.size());
    if (count > 0) return static_cast<std::size_t>(count);
  }
  return terminal_ ? terminal_->read(into) : 0;
}

}  // namespace virttdx
