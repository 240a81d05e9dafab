// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_kernel/vhost_offload.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "support/log.h"

namespace virttdx {

Result<std::unique_ptr<VhostOffload>> VhostOffload::create(VhostDevice device, const std::string& name,
                                                           std::size_t queues, Activate activate) {
  std::unique_ptr<VhostOffload> offload(new VhostOffload(std::move(device), std::move(activate)));
  offload->worker_ = TRY(Worker::create(name));
  for (std::size_t i = 0; i < queues; ++i) TRY(offload->add_queue());
  offload->worker_->start();
  return offload;
}

Result<> VhostOffload::add_queue() {
  auto queue = std::make_unique<Queue>();
  queue->kick = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  queue->call = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!queue->kick || !queue->call) return fail_errno(errno, "cannot create an eventfd for vhost");
  TRY(worker_->loop().add(queue->call.get(), EPOLLIN,
                          [this, raw = queue.get()](std::uint32_t) { take_call(*raw); }));
  queues_.push_back(std::move(queue));
  return {};
}

void VhostOffload::take_call(Queue& queue) {
  eventfd_t count = 0;
  if (::eventfd_read(queue.call.get(), &count) != 0) return;  // an irqfd was faster
  queue.called = true;
  worker_->run_task();
}

void VhostOffload::interrupt() {
  for (const auto& queue : queues_)
    if (std::exchange(queue->called, false) && queue->guest != nullptr) queue->guest->interrupt();
}

Result<> VhostOffload::start(std::uint64_t features, std::span<Virtqueue* const> queues) {
  // A driver that has not set up all of them, as firmware may, gets nothing moved.
  if (std::ranges::count(queues, nullptr) != 0) return {};
  TRY(device_.set_features(features));
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    const auto rings = queues[i]->rings();
    TRY(device_.set_queue(static_cast<std::uint32_t>(i), {.size = rings.size,
                                                          .descriptors = rings.descriptors,
                                                          .available = rings.available,
                                                          .used = rings.used,
                                                          .kick = queues_[i]->kick.get(),
                                                          .call = queues_[i]->call.get()}));
    queues_[i]->guest = queues[i];
  }
  worker_->set_task([this] { interrupt(); });
  is_started_ = true;
  return {};
}

Result<> VhostOffload::set_active(bool active) {
  if (!is_started_ || is_active_ == active) return {};
  TRY(activate_(device_, active));
  is_active_ = active;
  return {};
}

void VhostOffload::stop() {
  if (!is_started_) return;
  if (const auto stopped = set_active(false); !stopped) log::error("{}", stopped.error().message());
  worker_->set_task(nullptr);
  for (const auto& queue : queues_) queue->guest = nullptr;
  is_started_ = is_active_ = false;
}

}  // namespace virttdx
