// SPDX-License-Identifier: GPL-2.0-or-later
// One client's connection as libvirt's API sees it: open or not, read-only or not, its events and streams.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/console_stream.h"
#include "api/event_subscriptions.h"
#include "domain/domain_service.h"
#include "rpc/client.h"

namespace virttdx::driver {

/// Of one client. More than a person has terminals.
inline constexpr std::size_t kStreamsMaximum = 64;

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Client> client, bool read_only, DomainService& service);

  /// A message of the client. Answers it, now or later.
  void handle(const Frame& frame);
  void emit(const DomainEvent& event);

  Client& client() { return *client_; }
  const std::shared_ptr<Client>& shared_client() { return client_; }
  DomainService& service() { return service_; }
  bool read_only() const { return read_only_; }
  /// For the rest of the connection: it cannot be undone.
  void make_read_only() { read_only_ = true; }
  EventSubscriptions& events() { return events_; }
  /// Whether one more stream may be opened. Streams that have ended count until the client has said so too.
  bool may_open_stream() const { return streams_.size() < kStreamsMaximum; }
  /// Adds the stream that the call with this serial opened.
  void add_stream(std::uint32_t serial, std::unique_ptr<ConsoleStream> stream);

  std::string uri;  ///< as opened; empty: not open

 private:
  void handle_call(const Frame& frame);
  void handle_stream(const Frame& frame);

  std::shared_ptr<Client> client_;
  bool read_only_;
  DomainService& service_;
  EventSubscriptions events_;
  std::map<std::uint32_t, std::unique_ptr<ConsoleStream>> streams_;
};

}  // namespace virttdx::driver
