// SPDX-License-Identifier: GPL-2.0-or-later
// One client's socket on the event loop: whole messages in, whole messages out, bounded memory, keepalive.
#pragma once

#include <QSocketNotifier>
#include <QTimer>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "rpc/frame.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

struct ClientLimits {
  /// Calls without a reply yet, after which nothing more is read (libvirtd.conf max_client_requests).
  unsigned outstanding_calls = 5;
  /// Bytes waiting to be sent, after which nothing more is read.
  std::size_t output_pause = 1U << 20;
  /// Bytes waiting to be sent, after which the client is dropped: it does not read its events.
  std::size_t output_maximum = 64U << 20;
  std::chrono::milliseconds keepalive_interval{5000};  ///< 0: never
  unsigned keepalive_count = 5;
};

/// Used on the event loop's thread only. Shared: replies that come late hold it weakly.
class Client : public std::enable_shared_from_this<Client> {
 public:
  using MessageHandler = std::function<void(const Frame&)>;
  using ClosedHandler = std::function<void()>;

  static std::shared_ptr<Client> create(UniqueFd socket, const ClientLimits& limits);

  /// Begins to read. Handlers are called from the event loop; `closed` once, after which nothing is called.
  void start(MessageHandler message, ClosedHandler closed);

  void send(const FrameHeader& header, std::string_view payload);
  /// A call was taken, or answered. More than the limit stops reading.
  void call_began() { ++outstanding_; }
  void call_ended();
  /// `who` cannot take more of this client's bytes (a console that is not read), or can again. Nothing is
  /// read while anybody cannot.
  void set_paused(const void* who, bool paused);
  /// Answers and sends keepalive messages from now on (the client asked for the feature).
  void start_keepalive();

  bool congested() const { return queued_ > limits_.output_pause; }
  /// Called each time that the queue has drained below the limit of congested().
  void on_drained(std::function<void()> handler) { drained_ = std::move(handler); }
  /// Drops what is queued and closes.
  void close();
  bool closed() const { return !socket_; }
  int fd() const { return socket_.get(); }

 private:
  Client(UniqueFd socket, const ClientLimits& limits) : socket_(std::move(socket)), limits_(limits) {}
  void read_some();
  void process();
  void write_some();
  void update_reading();
  bool may_read() const;
  void keepalive_tick();
  bool answer_keepalive(const Frame& frame);

  UniqueFd socket_;
  const ClientLimits limits_;
  MessageHandler message_;
  ClosedHandler closed_;
  std::function<void()> drained_;
  std::unique_ptr<QSocketNotifier> readable_, writable_;
  std::unique_ptr<QTimer> keepalive_;
  FrameReader input_;
  std::deque<std::string> output_;
  std::size_t sent_of_first_ = 0;
  std::size_t queued_ = 0;
  unsigned outstanding_ = 0;
  std::set<const void*> paused_by_;
  unsigned silent_intervals_ = 0;
  bool heard_ = false;
  bool processing_ = false;
};

}  // namespace virttdx::driver
