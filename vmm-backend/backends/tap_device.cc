// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>
#include <vector>

#include "backends/interface_counters.h"
#include "backends/kernel_counters.h"
#include "backends/network_device.h"
#include "backends/vhost_kernel/vhost_net.h"
#include "backends/worker.h"
#include "devices/virtio_net/virtio_net_spec.h"
#include "support/unique_fd.h"

namespace virttdx {
namespace {

using namespace virtio_net_spec;

// The kernel checks what the guest's headers say (virtio_net_hdr_to_skb).
constexpr std::uint64_t kOffloads = kFeatureChecksum | kFeatureGuestChecksum | kFeatureGuestTso4 |
                                    kFeatureGuestTso6 | kFeatureGuestEcn | kFeatureHostTso4 |
                                    kFeatureHostTso6 | kFeatureHostEcn;

// All edges: what is not ready is looked at again when it has become so.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLET;

class TapQueue final : public PacketQueue {
 public:
  static Result<std::unique_ptr<TapQueue>> create(UniqueFd fd, InterfaceCounters& counters,
                                                  const NetworkInterfaceConfig& config, std::size_t pair) {
    std::unique_ptr<TapQueue> queue(new TapQueue(std::move(fd), counters));
    const std::string name = fmt::format("{}-{}", config.id, pair);
    queue->worker_ = TRY(Worker::create(name));
    Worker& worker = *queue->worker_;
    if (config.vhost)
      queue->vhost_ = TRY(create_vhost_net(name, queue->fd_.get()));
    else
      TRY(worker.loop().add(queue->fd_.get(), kEvents, [&worker](std::uint32_t) { worker.run_task(); }));
    worker.start();
    return queue;
  }
  QueueOffload* offload() { return vhost_.get(); }
  QueueWorker& worker() override { return *worker_; }
  int fd() const { return fd_.get(); }

  Sent send(std::span<const iovec> packet, std::size_t size) override {
    const ssize_t count = ::writev(fd_.get(), packet.data(), static_cast<int>(packet.size()));
    if (count >= 0) {
      counters_.count_sent(size);
      return Sent::Yes;
    }
    if (errno == EAGAIN) return Sent::Later;
    counters_.count_sent_error();
    return Sent::Dropped;
  }

  std::size_t receive(std::span<std::byte> into) override {
    const ssize_t count = ::read(fd_.get(), into.data(), into.size());
    if (count < static_cast<ssize_t>(kHeaderSize)) return 0;
    counters_.count_received(static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count);
  }

  void count_drop() override { counters_.count_received_drop(); }

 private:
  TapQueue(UniqueFd fd, InterfaceCounters& counters) : fd_(std::move(fd)), counters_(counters) {}
  UniqueFd fd_;
  InterfaceCounters& counters_;
  std::unique_ptr<VhostOffload> vhost_;  ///< or nobody, and the device moves the packets
  std::unique_ptr<Worker> worker_;       // last: its thread uses what stands above
};

class TapDevice final : public NetworkDevice {
 public:
  static Result<std::unique_ptr<TapDevice>> create(const NetworkInterfaceConfig& config,
                                                   InterfaceHostSide side) {
    std::unique_ptr<TapDevice> device(new TapDevice(config.id, std::move(side.device), std::move(side.link)));
    device->properties_ = TRY(network_properties(config));
    device->properties_.offloads = kOffloads;
    for (UniqueFd& queue : side.queues) TRY(device->add_queue(std::move(queue), config));
    if (config.vhost) device->kernel_counters_ = TRY(KernelCounters::open(device->name_));
    return device;
  }
  const Properties& properties() const override { return properties_; }
  std::size_t queue_pairs() const override { return queues_.size(); }
  PacketQueue& queue(std::size_t pair) override { return *queues_.at(pair); }
  QueueOffload* offload(std::size_t pair) override { return queues_.at(pair)->offload(); }
  void set_offloads(std::uint64_t features) override;
  void set_active_pairs(std::size_t count) override;
  InterfaceStatistics statistics() const override;

 private:
  TapDevice(std::string id, std::string name, std::optional<MacvtapLink> macvtap)
      : id_(std::move(id)), name_(std::move(name)), macvtap_(std::move(macvtap)) {}
  Result<> add_queue(UniqueFd queue, const NetworkInterfaceConfig& config) {
    queues_.push_back(TRY(TapQueue::create(std::move(queue), counters_, config, queues_.size())));
    return {};
  }
  InterfaceStatistics counted_by_kernel() const {
    return macvtap_ ? kernel_counters_->of_device() : kernel_counters_->of_other_end();
  }

  const std::string id_, name_;
  const std::optional<MacvtapLink> macvtap_;  ///< or it is a tap device
  Properties properties_;
  InterfaceCounters counters_;
  std::optional<KernelCounters> kernel_counters_;  ///< of packets that nobody here sees
  std::vector<std::unique_ptr<TapQueue>> queues_;
};

// What the guest takes: the kernel makes it for packets that come without.
void TapDevice::set_offloads(std::uint64_t features) {
  unsigned flags = 0;
  if ((features & kFeatureGuestChecksum) != 0) flags |= TUN_F_CSUM;
  if ((features & kFeatureGuestTso4) != 0) flags |= TUN_F_TSO4;
  if ((features & kFeatureGuestTso6) != 0) flags |= TUN_F_TSO6;
  if ((features & kFeatureGuestEcn) != 0) flags |= TUN_F_TSO_ECN;
  if ((flags & TUN_F_CSUM) == 0) flags = 0;
  for (const auto& queue : queues_) ::ioctl(queue->fd(), TUNSETOFFLOAD, flags);
}

void TapDevice::set_active_pairs(std::size_t count) {
  if (queues_.size() == 1) return;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    ifreq request{};
    request.ifr_flags = i < count ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
    ::ioctl(queues_[i]->fd(), TUNSETQUEUE, &request);  // EINVAL: it is so already
  }
}

// The host's device is the other end: it receives what the guest sends.
InterfaceStatistics TapDevice::statistics() const {
  InterfaceStatistics statistics = kernel_counters_ ? counted_by_kernel() : counters_.snapshot();
  statistics.id = id_;
  statistics.device = name_;
  return statistics;
}

}  // namespace

Result<std::unique_ptr<NetworkDevice>> create_tap_device(const NetworkInterfaceConfig& config,
                                                         InterfaceHostSide side) {
  return TRY(TapDevice::create(config, std::move(side)));
}

}  // namespace virttdx
