// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_net/virtio_net.h"

#include <algorithm>

#include "devices/virtio/chain_bytes.h"
#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_net_spec;

namespace {

constexpr std::uint16_t kControlQueueSize = 64;

}  // namespace

std::uint16_t VirtioNet::type() const { return virtio_spec::kDeviceNetwork; }

std::uint64_t VirtioNet::features() const {
  const auto& properties = backend_.properties();
  std::uint64_t features = kFeatureMac | kFeatureStatus | kFeatureMergeableBuffers | properties.offloads;
  if (properties.mtu) features |= kFeatureMtu;
  if (has_control_queue()) features |= kFeatureControlQueue | kFeatureMultiQueue;
  return features & ~properties.withheld;
}

std::vector<std::uint16_t> VirtioNet::queue_sizes() const {
  const auto& properties = backend_.properties();
  std::vector<std::uint16_t> sizes;
  for (std::size_t pair = 0; pair < backend_.queue_pairs(); ++pair) {
    sizes.push_back(properties.receive_queue_size);
    sizes.push_back(properties.transmit_queue_size);
  }
  if (has_control_queue()) sizes.push_back(kControlQueueSize);
  return sizes;
}

void VirtioNet::read_config(std::size_t offset, std::span<std::byte> data) {
  const auto& properties = backend_.properties();
  std::array<std::byte, kConfigSize> config{};
  std::ranges::copy(properties.mac, config.begin() + kConfigMac);
  store_le<std::uint16_t>(config, kConfigStatus, backend_.link().is_up() ? kStatusLinkUp : 0);
  store_le<std::uint16_t>(config, kConfigQueuePairs, static_cast<std::uint16_t>(backend_.queue_pairs()));
  store_le<std::uint16_t>(config, kConfigMtu, properties.mtu.value_or(0));
  read_structure(config, offset, data);
}

QueueOffload* VirtioNet::offload_of(std::size_t queue) const {
  return queue == control_queue() ? nullptr : backend_.offload(queue / 2);
}

int VirtioNet::doorbell(std::size_t queue) const {
  if (const auto* const offload = offload_of(queue)) return offload->doorbell(queue % 2);
  return backend_.queue(queue == control_queue() ? 0 : queue / 2).worker().doorbell();
}

int VirtioNet::call(std::size_t queue) const {
  const auto* const offload = offload_of(queue);
  return offload == nullptr ? -1 : offload->call(queue % 2);
}

void VirtioNet::start(const VirtioSession& session) {
  session_ = session;
  backend_.set_offloads(session.features & backend_.properties().offloads);
  backend_.set_active_pairs(1);
  broken_.assign(backend_.queue_pairs(), 0);
  for (std::size_t pair = 0; pair < backend_.queue_pairs(); ++pair) start_pair(pair);
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair)
    backend_.queue(pair).worker().set_task([this, pair] { serve(pair); });
  backend_.link().watch([this] {
    follow_link();
    if (session_.has(kFeatureStatus)) session_.configuration_changed();
  });
  follow_link();
}

void VirtioNet::start_pair(std::size_t pair) {
  const auto queues = std::span(session_.queues).subspan(2 * pair, 2);
  auto* const offload = backend_.offload(pair);
  if (offload == nullptr) {
    pairs_.push_back(
        std::make_unique<PacketPair>(PacketPair::Parts{.receive = queues[0],
                                                       .transmit = queues[1],
                                                       .backend = backend_.queue(pair),
                                                       .link = backend_.link(),
                                                       .mergeable = session_.has(kFeatureMergeableBuffers)}));
    return;
  }
  pairs_.push_back(nullptr);
  if (const auto started = offload->start(session_.features, queues); !started)
    session_.fail(started.error());
}

void VirtioNet::replace_queue(std::size_t index, Virtqueue* queue) {
  const std::size_t pair = index == control_queue() ? 0 : index / 2;
  auto& worker = backend_.queue(pair).worker();
  worker.set_task(nullptr);
  session_.queues.at(index) = queue;
  if (index != control_queue()) {
    if (index % 2 == 0)
      pairs_[pair]->set_receive(queue);
    else
      pairs_[pair]->set_transmit(queue);
  }
  worker.set_task([this, pair] { serve(pair); });
}

void VirtioNet::follow_link() {
  const std::lock_guard lock(link_mutex_);
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
    if (pairs_[pair] != nullptr) continue;
    const auto followed = backend_.offload(pair)->set_active(backend_.link().is_up());
    if (!followed) session_.fail(followed.error());
  }
}

void VirtioNet::stop() {
  backend_.link().watch(nullptr);
  for (std::size_t pair = 0; pair < pairs_.size(); ++pair) {
    backend_.queue(pair).worker().set_task(nullptr);
    if (pairs_[pair] == nullptr) backend_.offload(pair)->stop();
  }
  pairs_.clear();
  session_ = {};
}

void VirtioNet::serve(std::size_t pair) {
  if (broken_[pair] != 0) return;
  Result<> served;
  if (pairs_[pair] != nullptr) served = pairs_[pair]->serve();
  if (served && pair == 0 && has_control_queue()) served = serve_control();
  if (served) return;
  broken_[pair] = 1;
  session_.fail(served.error());
}

Result<> VirtioNet::serve_control() {
  Virtqueue* const control = session_.queues[control_queue()];
  if (control == nullptr) return {};
  while (TRY(control->pop_or_ask(command_))) {
    std::byte* const answer = take_last_byte(command_.writable);
    if (answer == nullptr)
      return fail(Error::Code::InvalidData, "a control command has no place for its answer");
    *answer = std::byte{run_command(command_)};
    control->push(command_.head, 1);
  }
  control->signal();
  return {};
}

std::uint8_t VirtioNet::run_command(DescriptorChain& chain) {
  std::array<std::byte, 4> command{};
  const std::size_t size = take_bytes(chain.readable, command);
  if (size != command.size() || load_le<std::uint8_t>(command, 0) != kControlMultiQueue ||
      load_le<std::uint8_t>(command, 1) != kControlQueuePairsSet)
    return kControlError;
  const auto pairs = load_le<std::uint16_t>(command, 2);
  if (pairs < 1 || pairs > backend_.queue_pairs()) return kControlError;
  backend_.set_active_pairs(pairs);
  return kControlOk;
}

}  // namespace virttdx
