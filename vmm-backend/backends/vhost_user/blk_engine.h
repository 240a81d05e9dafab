// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/disk_engine.h"
#include "backends/vhost_user/driver_queue.h"
#include "backends/vhost_user/front_end.h"
#include "support/unique_fd.h"

namespace virttdx {

/// A disk's queue that a vhost-user-blk back end works on. When the back end hangs up, or cannot be followed,
/// every operation under way and every later one ends with EIO. Buffers lie in memory that the back end was
/// given.
class VhostUserBlkEngine final : public DiskEngine {
 public:
  struct Parts {
    std::string name;  ///< for messages
    DriverQueue queue;
    int socket = -1;             ///< of the back end; outlives it
    std::uint16_t segments = 1;  ///< buffers of an operation at most
    bool has_flush = false;      ///< the back end offers it
  };
  /// Buffers of a request besides the data: header, or header with range, and status.
  static constexpr std::uint16_t kExtraBuffers = 2;

  static Result<std::unique_ptr<VhostUserBlkEngine>> create(Parts parts);

  /// For VhostUserFrontEnd::run(). Any thread, always the same.
  VhostQueue queue() const;

  int event() const override { return event_.get(); }
  void submit(const BlockOperation& operation) override;
  void flush() override;
  void reap(std::vector<BlockCompletion>& done, bool wait) override;
  std::size_t in_flight() const override { return in_flight_; }

 private:
  /// An operation under way.
  struct Request {
    BlockOperation operation;
    bool is_flushing = false;  ///< its data has arrived, and is being made durable
  };
  explicit VhostUserBlkEngine(Parts parts) : parts_(std::move(parts)), requests_(parts_.queue.size()) {}
  Result<> watch();
  void pass_on(std::uint32_t token);
  void take_used();
  void complete(std::uint32_t token);
  void finish(std::uint32_t token, int error);
  void fail_all(std::string_view cause);
  void wait_for_event() const;

  Parts parts_;
  UniqueFd kick_, call_;
  UniqueFd event_;                 ///< epoll: call_ and the socket's end
  std::vector<Request> requests_;  ///< by token
  std::vector<bool> is_running_;   ///< by token
  std::vector<BlockCompletion> done_;
  std::size_t in_flight_ = 0;
  bool is_broken_ = false;
};

}  // namespace virttdx
