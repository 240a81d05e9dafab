// SPDX-License-Identifier: GPL-2.0-or-later
// One client's connection as libvirt's API sees it: open or not, read-only or not, its events and streams.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/access_check.h"
#include "api/console_stream.h"
#include "api/daemon_context.h"
#include "api/event_subscriptions.h"
#include "forward/object_class.h"
#include "forward/upstream.h"
#include "rpc/client.h"

namespace virttdx::driver {

/// Of one client. More than a person has terminals.
inline constexpr std::size_t kStreamsMaximum = 64;

class Session : public std::enable_shared_from_this<Session> {
 public:
  /// `read_only` as the socket is.
  Session(std::shared_ptr<Client> client, Peer peer, bool read_only, const DaemonContext& context);

  /// A message of the client. Answers it, now or later.
  void handle(const Frame& frame);
  void emit(const DomainEvent& event);

  Client& client() { return *client_; }
  const std::shared_ptr<Client>& shared_client() { return client_; }
  DomainService& service() { return context_.service; }
  const DaemonContext& context() const { return context_; }
  /// Whoever connected.
  const Peer& peer() const { return peer_; }
  /// Whom the connection is used for: the same, unless a proxy said otherwise.
  const Peer& identity() const { return identity_; }
  void set_identity(Peer identity) { identity_ = std::move(identity); }
  bool read_only() const { return read_only_; }
  /// For the rest of the connection: it cannot be undone.
  void make_read_only() { read_only_ = true; }
  /// Until then it may authenticate, and nothing else.
  bool must_authenticate() const { return must_authenticate_; }
  void authenticated() { must_authenticate_ = false; }
  /// While a call that lists domains is being served.
  bool may_see(const DomainRecord& record) const { return !visible_ || visible_->contains(record.uuid); }
  EventSubscriptions& events() { return events_; }
  /// Whether one more stream may be opened. Streams that have ended count until the client has said so too.
  bool may_open_stream() const { return streams_.size() < kStreamsMaximum; }
  /// Adds the stream that the call with this serial opened.
  void add_stream(std::uint32_t serial, std::unique_ptr<ConsoleStream> stream);

  std::string uri;  ///< as opened; empty: not open

 private:
  void handle_call(const Frame& frame);
  void handle_stream(const Frame& frame);
  using ReplyPointer = std::shared_ptr<PendingReply>;
  void authorize(const ProcedureInfo& procedure, const Frame& frame, const ReplyPointer& reply);
  void find_visible(const ProcedureInfo& procedure, const Frame& frame, const ReplyPointer& reply);
  /// Null, and `reply` has failed: no such program or procedure.
  const ProcedureInfo* find_call(const FrameHeader& header, PendingReply& reply) const;
  void answer(const ProcedureInfo& procedure, const Frame& frame, const ReplyPointer& reply);
  void forward(ObjectClass object_class, const Frame& frame, std::shared_ptr<PendingReply> reply);
  Result<Upstream*> upstream_of(ObjectClass object_class);
  void drop_upstream(ObjectClass object_class);

  std::shared_ptr<Client> client_;
  Peer peer_, identity_;
  bool read_only_;
  const DaemonContext& context_;
  bool must_authenticate_;
  std::optional<VisibleDomains> visible_;
  EventSubscriptions events_;
  EventGate gate_;
  std::map<std::uint32_t, std::unique_ptr<ConsoleStream>> streams_;
  std::map<ObjectClass, std::unique_ptr<Upstream>> upstreams_;
};

}  // namespace virttdx::driver
