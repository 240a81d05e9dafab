// SPDX-License-Identifier: GPL-2.0-or-later
// One console or channel as a stream of libvirt's RPC: packets of the client to a socket of the monitor, and
// back.
#pragma once

#include <QSocketNotifier>
#include <memory>
#include <string>

#include "process/deferred_delete.h"
#include "process/stream_claim.h"
#include "rpc/client.h"
#include "rpc/wire_error.h"
#include "support/unique_fd.h"

namespace virttdx::driver {

/// Memory is bounded both ways: the guest's output waits in the monitor while the client does not read, and
/// the client is not read while the guest does not take its input.
class ConsoleStream {
 public:
  /// `opened_by` is the header of the call that opened it: packets repeat it.
  /// `claim`, where there is one, is held until the stream ends; revoking it ends the stream.
  ConsoleStream(std::shared_ptr<Client> client, const FrameHeader& opened_by, UniqueFd console,
                std::shared_ptr<StreamClaim> claim = {});
  ~ConsoleStream();

  /// A packet of the client. False: the stream has ended and may be let go.
  bool handle(const Frame& frame);
  /// Output that waited for the client may go on.
  void continue_output();

 private:
  void read_console();
  void write_console();
  void send(std::uint32_t status, std::string_view payload);
  void end();
  bool finish();
  void end_of_output();

  std::shared_ptr<Client> client_;
  FrameHeader header_;
  UniqueFd console_;
  std::shared_ptr<StreamClaim> claim_;
  std::string input_;  ///< of the client, not written yet
  std::unique_ptr<QSocketNotifier> readable_, writable_;
};

}  // namespace virttdx::driver
