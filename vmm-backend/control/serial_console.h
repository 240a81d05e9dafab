// SPDX-License-Identifier: GPL-2.0-or-later
// A serial port's outside: pseudo-terminal, log file and console attachment.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "control/event_loop.h"
#include "control/pseudo_terminal.h"
#include "devices/serial/serial_backend.h"
#include "support/unique_fd.h"
#include "vmm_backend/monitor_messages.h"
#include "vmm_backend/vm_config.h"

namespace virttdx {

/// Output that no attachment has taken yet is kept up to this size; the oldest is dropped first.
inline constexpr std::size_t kUnseenOutputMaximum = 64 << 10;

/// The back end of one serial port. write(), read() and set_input_listener() from any thread; everything else
/// on the loop's. Lives until the loop has ended.
class SerialConsole final : public SerialBackend {
 public:
  /// Opens what `config` names. `loop` outlives it.
  static Result<std::unique_ptr<SerialConsole>> create(EventLoop& loop, const SerialConfig& config);
  ~SerialConsole() override;
  SerialConsole(const SerialConsole&) = delete;
  SerialConsole& operator=(const SerialConsole&) = delete;

  /// One end of a new socket pair that carries the port's bytes both ways, unseen output first. An attachment
  /// that is open already: with `force` it ends, else error Busy. Closing the end detaches.
  Result<UniqueFd> attach(bool force);
  SerialStatus status() const;

  void write(std::span<const std::byte> bytes) override;
  std::size_t read(std::span<std::byte> into) override;
  void set_input_listener(std::function<void()> listener) override;

 private:
  SerialConsole(EventLoop& loop, std::uint8_t port) : loop_(loop), port_(port) {}
  Result<> open_log(const SerialConfig& config);
  Result<> open_terminal();
  void on_terminal_event();
  void on_attachment_event(std::uint32_t events);
  void notify_input();
  // Under mutex_.
  void write_log(std::span<const std::byte> bytes);
  void keep_unseen(std::span<const std::byte> bytes);
  void trim_unseen();
  void send_unseen();
  void detach();
  std::size_t read_sources(std::span<std::byte> into);

  EventLoop& loop_;
  const std::uint8_t port_;
  std::atomic<bool> input_waits_{false};
  mutable std::mutex mutex_;  // guards what follows, except where it says otherwise
  UniqueFd log_;
  bool log_failed_ = false;
  std::optional<PseudoTerminal> terminal_;
  EventLoop::Watch terminal_watch_;
  UniqueFd attachment_;
  EventLoop::Watch attachment_watch_;
  bool attachment_full_ = false;  // its socket took no more: the loop waits for room
  std::string unseen_;
  std::string last_input_;     // of an attachment that has ended
  std::mutex listener_mutex_;  // guards listener_; held while it runs
  std::function<void()> listener_;
};

}  // namespace virttdx
