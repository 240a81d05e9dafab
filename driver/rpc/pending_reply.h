// SPDX-License-Identifier: GPL-2.0-or-later
// The one answer that a call is owed, now or later.
#pragma once

#include <memory>
#include <utility>

#include "rpc/client.h"
#include "rpc/wire_error.h"
#include "rpc/xdr_codec.h"

namespace virttdx::driver {

/// Sends exactly one reply. Destroyed unanswered it replies with an internal error, so that no client waits
/// for ever. The client may be gone by then.
class PendingReply {
 public:
  PendingReply(const std::shared_ptr<Client>& client, const FrameHeader& call);
  PendingReply(const PendingReply&) = delete;
  PendingReply& operator=(const PendingReply&) = delete;
  ~PendingReply();

  void succeed(std::string_view payload);
  void fail(const WireError& error);
  /// Another daemon's reply to the same call, as it is.
  void relay(const Frame& reply);
  const FrameHeader& call() const { return call_; }

 private:
  void send(std::uint32_t status, std::string_view payload);
  void send(const FrameHeader& header, std::string_view payload);

  std::weak_ptr<Client> client_;
  FrameHeader call_;
  bool answered_ = false;
};

/// A PendingReply with the type of its result, to be kept until the result is known. Copies share the reply.
template <typename Ret>
class Deferred {
 public:
  explicit Deferred(std::shared_ptr<PendingReply> reply) : reply_(std::move(reply)) {}
  void succeed(const Ret& value) const {
    const auto bytes = xdr_encode(value);
    bytes ? reply_->succeed(*bytes) : reply_->fail(bytes.error());
  }
  void fail(const WireError& error) const { reply_->fail(error); }
  const FrameHeader& call() const { return reply_->call(); }

 private:
  std::shared_ptr<PendingReply> reply_;
};

template <>
class Deferred<void> {
 public:
  explicit Deferred(std::shared_ptr<PendingReply> reply) : reply_(std::move(reply)) {}
  void succeed() const { reply_->succeed({}); }
  void fail(const WireError& error) const { reply_->fail(error); }
  void finish(const Result<>& result) const { result ? succeed() : fail(result.error()); }
  const FrameHeader& call() const { return reply_->call(); }

 private:
  std::shared_ptr<PendingReply> reply_;
};

}  // namespace virttdx::driver
