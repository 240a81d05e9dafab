// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/eventfd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "devices/virtio/queue_offload.h"
#include "support/unique_fd.h"

namespace virttdx::test {

/// Works on nothing, and notes what it is asked to.
class RecordedOffload final : public QueueOffload {
 public:
  int doorbell(std::size_t queue) const override { return doorbells.at(queue).get(); }
  int call(std::size_t queue) const override { return static_cast<int>(1000 + queue); }
  Result<> use_memory(std::span<const DmaFile>) override { return {}; }
  Result<> start(std::uint64_t features, std::span<Virtqueue* const> queues) override {
    if (!error.empty()) return fail(Error::Code::System, "{}", error);
    started_features = features;
    started_queues.assign(queues.begin(), queues.end());
    is_started = true;
    calls.emplace_back("start");
    return {};
  }
  Result<> set_active(bool active) override {
    calls.emplace_back(active ? "active" : "rest");
    return {};
  }
  void stop() override {
    if (std::exchange(is_started, false)) calls.emplace_back("stop");
  }
  eventfd_t rings(std::size_t queue) const {
    eventfd_t count = 0;
    ::eventfd_read(doorbells.at(queue).get(), &count);
    return count;
  }

  std::array<UniqueFd, 2> doorbells{UniqueFd(::eventfd(0, EFD_NONBLOCK)),
                                    UniqueFd(::eventfd(0, EFD_NONBLOCK))};
  std::string error;
  std::uint64_t started_features = 0;
  std::vector<Virtqueue*> started_queues;
  std::vector<std::string> calls;
  bool is_started = false;
};

}  // namespace virttdx::test
