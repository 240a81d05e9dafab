// SPDX-License-Identifier: GPL-2.0-or-later
#include "rpc/client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "schemas/keepalive_protocol.h"
#include "schemas/virnet_protocol.h"
#include "support/log.h"

namespace virttdx::driver {

std::shared_ptr<Client> Client::create(UniqueFd socket, const ClientLimits& limits) {
  return std::shared_ptr<Client>(new Client(std::move(socket), limits));
}

void Client::start(MessageHandler message, ClosedHandler closed) {
  message_ = std::move(message);
  closed_ = std::move(closed);
  readable_ = std::make_unique<QSocketNotifier>(socket_.get(), QSocketNotifier::Read);
  writable_ = std::make_unique<QSocketNotifier>(socket_.get(), QSocketNotifier::Write);
  writable_->setEnabled(false);
  QObject::connect(readable_.get(), &QSocketNotifier::activated, readable_.get(), [this] { read_some(); });
  QObject::connect(writable_.get(), &QSocketNotifier::activated, writable_.get(), [this] { write_some(); });
}

void Client::read_some() {
  const auto keep_alive = shared_from_this();
  std::array<char, 65536> buffer;
  const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return close();
  heard_ = true;
  input_.append({buffer.data(), static_cast<std::size_t>(size)});
  process();
}

// Messages that already came are taken one by one as long as the client is within its limits; what it must
// wait for (a reply, a drained queue) calls this again.
void Client::process() {
  if (processing_) return;
  processing_ = true;
  const auto keep_alive = shared_from_this();
  while (!closed() && may_read()) {
    auto frame = input_.next();
    if (!frame) {
      log::warning("client {}: {}; closing the connection", socket_.get(), frame.error().message());
      close();
      break;
    }
    if (!*frame) break;
    const auto& header = (*frame)->header;
    log::debug("client {}: program {:#x}, procedure {}, type {}, serial {}, {} bytes", socket_.get(),
               header.program, header.procedure, header.type, header.serial, (*frame)->payload.size());
    if (!answer_keepalive(**frame)) message_(**frame);
  }
  processing_ = false;
  update_reading();
}

bool Client::may_read() const {
  return paused_by_.empty() && outstanding_ < limits_.outstanding_calls && !congested();
}

void Client::update_reading() {
  if (!closed()) readable_->setEnabled(may_read());
}

bool Client::answer_keepalive(const Frame& frame) {
  if (frame.header.program != KEEPALIVE_PROGRAM) return false;
  if (frame.header.procedure == KEEPALIVE_PROC_PING)
    send({.program = KEEPALIVE_PROGRAM,
          .version = KEEPALIVE_PROTOCOL_VERSION,
          .procedure = KEEPALIVE_PROC_PONG,
          .type = VIR_NET_MESSAGE},
         {});
  return true;
}

void Client::call_ended() {
  CHECK(outstanding_ > 0);
  --outstanding_;
  if (!closed()) process();
}

void Client::set_paused(const void* who, bool paused) {
  const bool changed = paused ? paused_by_.insert(who).second : paused_by_.erase(who) > 0;
  if (changed && !closed()) process();
}

void Client::send(const FrameHeader& header, std::string_view payload) {
  if (closed()) return;
  const bool was_empty = output_.empty();
  queued_ += output_.emplace_back(encode_frame(header, payload)).size();
  if (was_empty) write_some();
  if (queued_ <= limits_.output_maximum || closed()) return;
  log::warning("client {}: does not read: {} bytes wait for it; closing the connection", socket_.get(),
               queued_);
  close();
}

void Client::write_some() {
  const auto keep_alive = shared_from_this();
  const bool was_congested = congested();
  while (!output_.empty()) {
    const std::string& first = output_.front();
    const ssize_t size = ::send(socket_.get(), first.data() + sent_of_first_, first.size() - sent_of_first_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return close();
    sent_of_first_ += static_cast<std::size_t>(size);
    if (sent_of_first_ < first.size()) break;
    queued_ -= first.size();
    output_.pop_front();
    sent_of_first_ = 0;
  }
  writable_->setEnabled(!output_.empty());
  if (!was_congested || congested()) return;
  if (drained_) drained_();
  if (!closed()) process();
}

void Client::start_keepalive() {
  if (keepalive_ || limits_.keepalive_interval.count() == 0) return;
  keepalive_ = std::make_unique<QTimer>();
  QObject::connect(keepalive_.get(), &QTimer::timeout, keepalive_.get(), [this] { keepalive_tick(); });
  keepalive_->start(limits_.keepalive_interval);
}

void Client::keepalive_tick() {
  if (std::exchange(heard_, false)) {
    silent_intervals_ = 0;
    return;
  }
  // What is not read says nothing about the client: it may be waiting for us.
  if (!readable_->isEnabled()) return;
  if (silent_intervals_++ >= limits_.keepalive_count) {
    log::warning("client {}: no answer to {} keepalive messages; closing the connection", socket_.get(),
                 limits_.keepalive_count);
    return close();
  }
  send({.program = KEEPALIVE_PROGRAM,
        .version = KEEPALIVE_PROTOCOL_VERSION,
        .procedure = KEEPALIVE_PROC_PING,
        .type = VIR_NET_MESSAGE},
       {});
}

void Client::close() {
  if (closed()) return;
  const auto keep_alive = shared_from_this();
  // Not destroyed here: one of them may be calling.
  for (auto* notifier : {readable_.get(), writable_.get()})
    if (notifier != nullptr) notifier->setEnabled(false);
  if (keepalive_) keepalive_->stop();
  socket_.reset();
  if (closed_) closed_();
}

}  // namespace virttdx::driver
