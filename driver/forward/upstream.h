// SPDX-License-Identifier: GPL-2.0-or-later
// One client's connection to the daemon of another class of objects: messages go through byte for byte.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "rpc/client.h"
#include "rpc/peer.h"
#include "rpc/pending_reply.h"

namespace virttdx::driver {

struct UpstreamTarget {
  std::string uri;  ///< "network:///system"
  bool read_only = false;
  Peer identity;  ///< of the client, told to the daemon
};

/// Opens the connection in the client's name first; what is sent meanwhile waits. Events, replies and streams
/// come back unchanged. Memory is bounded both ways: either side is not read while the other does not read.
class Upstream {
 public:
  using EndedHandler = std::function<void()>;

  /// `ended` is called once, from the event loop, when the connection is of no use any more: the error of
  /// every call still owed a reply has been sent.
  Upstream(UniqueFd socket, UpstreamTarget target, std::shared_ptr<Client> downstream, EndedHandler ended);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  void call(const Frame& frame, std::shared_ptr<PendingReply> reply);
  /// Whether a call sent here opened the stream of this serial, and it has not ended.
  bool has_stream(std::uint32_t serial) const { return streams_.contains(serial); }
  void stream_packet(const Frame& frame) { send(frame); }
  /// The client reads again.
  void continue_output();

 private:
  enum class Step : std::uint8_t { ListAuthentication, Polkit, Open, SetIdentity, Ready };

  void begin(Step step);
  void send_own(int procedure, std::string_view payload);
  void take(const Frame& frame);
  void take_own_reply(const Frame& frame);
  void choose_authentication(const Frame& frame);
  void take_reply(const Frame& frame);
  void pass_down(const Frame& frame);
  void send(const Frame& frame);
  void fail_all(const WireError& error);

  UpstreamTarget target_;
  std::shared_ptr<Client> downstream_;
  EndedHandler ended_;
  std::shared_ptr<Client> connection_;
  Step step_ = Step::ListAuthentication;
  std::deque<Frame> waiting_;
  std::multimap<std::uint32_t, std::shared_ptr<PendingReply>> pending_;
  std::map<std::uint32_t, FrameHeader> streams_;
};

}  // namespace virttdx::driver
