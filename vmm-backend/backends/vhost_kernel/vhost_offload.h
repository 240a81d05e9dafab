// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backends/vhost_kernel/vhost_device.h"
#include "backends/worker.h"
#include "devices/virtio/queue_offload.h"

namespace virttdx {

/// Queues that one of the kernel's vhost devices works on. Doorbells go straight to the kernel, and its
/// calls to KVM; those that KVM does not take, as of a vector that is masked, come to a thread, which sends
/// the interrupts.
class VhostOffload final : public QueueOffload {
 public:
  /// Lets the kernel work on the queues, or not: a command of the device's kind.
  using Activate = std::function<Result<>(const VhostDevice& device, bool active)>;
  /// `name`: of the device, for messages and the thread.
  static Result<std::unique_ptr<VhostOffload>> create(VhostDevice device, const std::string& name,
                                                      std::size_t queues, Activate activate);
  ~VhostOffload() override { stop(); }

  const VhostDevice& device() const { return device_; }
  int doorbell(std::size_t queue) const override { return queues_.at(queue)->kick.get(); }
  int call(std::size_t queue) const override { return queues_.at(queue)->call.get(); }
  Result<> use_memory(std::span<const DmaFile> files) override { return device_.set_memory(files); }
  Result<> start(std::uint64_t features, std::span<Virtqueue* const> queues) override;
  Result<> set_active(bool active) override;
  void stop() override;

 private:
  struct Queue {
    UniqueFd kick, call;
    Virtqueue* guest = nullptr;  ///< while started; the worker's
    bool called = false;         ///< the worker's
  };
  VhostOffload(VhostDevice device, Activate activate)
      : device_(std::move(device)), activate_(std::move(activate)) {}
  Result<> add_queue();
  // On the worker's thread.
  void take_call(Queue& queue);
  void interrupt();

  VhostDevice device_;
  const Activate activate_;
  std::vector<std::unique_ptr<Queue>> queues_;
  bool is_started_ = false, is_active_ = false;
  std::unique_ptr<Worker> worker_;  // last: its thread uses what stands above
};

}  // namespace virttdx
