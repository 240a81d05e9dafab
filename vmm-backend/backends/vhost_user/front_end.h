// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backends/vhost_queue.h"
#include "backends/vhost_user/connection.h"
#include "bus/dma.h"

namespace virttdx {

/// The front-end of vhost-user: negotiation, the table of memory, the queues. The back end knows no guest:
/// it is given this process's addresses as the guest's, and queues of this process. One thread at a time.
class VhostUserFrontEnd {
 public:
  /// What this side must have of the back end, or it cannot be used.
  struct Needs {
    std::uint64_t features = 0;      ///< all of them
    std::uint64_t may_features = 0;  ///< taken when they are offered
    std::uint16_t queues = 1;
    std::uint32_t config_size = 0;
  };
  /// Negotiates. Errors: ConfigUnsupported: the back end lacks something; those of VhostUserConnection.
  static Result<VhostUserFrontEnd> create(VhostUserConnection connection, const Needs& needs);

  std::uint64_t features() const { return features_; }
  std::span<const std::byte> config() const { return config_; }
  int socket() const { return connection_.socket(); }

  /// Stops the queues, if they run, and runs them. `memory`: all that they and their requests lie in. No
  /// request is in flight.
  Result<> run(std::span<const VhostQueue> queues, std::span<const DmaFile> memory);

 private:
  explicit VhostUserFrontEnd(VhostUserConnection connection) : connection_(std::move(connection)) {}
  Result<> negotiate(const Needs& needs);
  Result<> negotiate_protocol(const Needs& needs);
  Result<> read_config(std::uint32_t size);
  Result<> set_memory(std::span<const DmaFile> memory);
  Result<> start(std::uint32_t index, const VhostQueue& queue);

  VhostUserConnection connection_;
  std::uint64_t features_ = 0;
  std::vector<std::byte> config_;
  std::vector<std::uint32_t> bases_;  ///< next available entry of each queue that ran
};

}  // namespace virttdx
