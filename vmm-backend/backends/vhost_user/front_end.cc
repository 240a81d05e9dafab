// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/vhost_user/front_end.h"

#include <array>

#include "devices/virtio/virtio_spec.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace vhost_user_spec;

namespace {

std::array<std::byte, 8> number(std::uint64_t value) {
  std::array<std::byte, 8> payload{};
  store_le<std::uint64_t>(payload, 0, value);
  return payload;
}

std::array<std::byte, kVringStateSize> vring_state(std::uint32_t index, std::uint32_t value) {
  std::array<std::byte, kVringStateSize> payload{};
  store_le<std::uint32_t>(payload, 0, index);
  store_le<std::uint32_t>(payload, 4, value);
  return payload;
}

std::uint64_t address_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<std::uint64_t>(bytes.data());
}

std::array<std::byte, kVringAddressSize> vring_address(std::uint32_t index, const VhostQueue& queue) {
  std::array<std::byte, kVringAddressSize> payload{};
  store_le<std::uint32_t>(payload, 0, index);
  store_le<std::uint64_t>(payload, 8, address_of(queue.descriptors));
  store_le<std::uint64_t>(payload, 16, address_of(queue.used));
  store_le<std::uint64_t>(payload, 24, address_of(queue.available));
  return payload;
}

std::vector<std::byte> memory_table(std::span<const DmaFile> files) {
  std::vector<std::byte> payload(kRegionsHeader + files.size() * kRegionSize);
  store_le<std::uint32_t>(payload, 0, static_cast<std::uint32_t>(files.size()));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::size_t offset = kRegionsHeader + i * kRegionSize;
    store_le<std::uint64_t>(payload, offset, address_of(files[i].bytes));
    store_le<std::uint64_t>(payload, offset + 8, files[i].bytes.size());
    store_le<std::uint64_t>(payload, offset + 16, address_of(files[i].bytes));
    store_le<std::uint64_t>(payload, offset + 24, files[i].offset);
  }
  return payload;
}

Result<> require(std::uint64_t offered, std::uint64_t needed, const char* what) {
  if ((offered & needed) == needed) return {};
  return fail(Error::Code::ConfigUnsupported, "a vhost-user back end lacks {} {:#x} of {:#x}", what,
              needed & ~offered, needed);
}

}  // namespace

Result<VhostUserFrontEnd> VhostUserFrontEnd::create(VhostUserConnection connection, const Needs& needs) {
  VhostUserFrontEnd front_end(std::move(connection));
  TRY(front_end.negotiate(needs));
  return front_end;
}

Result<> VhostUserFrontEnd::negotiate(const Needs& needs) {
  const std::uint64_t always = virtio_spec::kFeatureVersion1 | kFeatureProtocolFeatures;
  const auto offered = load_le<std::uint64_t>(TRY(connection_.ask(Request::GetFeatures, 8)), 0);
  TRY(require(offered, needs.features | always, "features"));
  TRY(negotiate_protocol(needs));
  TRY(connection_.tell(Request::SetOwner));
  features_ = offered & (needs.features | needs.may_features | always);
  TRY(connection_.command(Request::SetFeatures, number(features_)));
  return read_config(needs.config_size);
}

Result<> VhostUserFrontEnd::negotiate_protocol(const Needs& needs) {
  const std::uint64_t needed = kProtocolReplyAck | kProtocolConfig | kProtocolMultiQueue;
  const auto offered = load_le<std::uint64_t>(TRY(connection_.ask(Request::GetProtocolFeatures, 8)), 0);
  TRY(require(offered, needed, "protocol features"));
  TRY(connection_.tell(Request::SetProtocolFeatures, number(needed)));
  const auto queues = load_le<std::uint64_t>(TRY(connection_.ask(Request::GetQueueNum, 8)), 0);
  if (queues >= needs.queues) return {};
  return fail(Error::Code::ConfigUnsupported, "a vhost-user back end has {} queues, not {}", queues,
              needs.queues);
}

Result<> VhostUserFrontEnd::read_config(std::uint32_t size) {
  std::vector<std::byte> request(kConfigHeader + size);
  store_le<std::uint32_t>(request, 4, size);
  const auto reply = TRY(connection_.ask(Request::GetConfig, request.size(), request));
  config_.assign(reply.begin() + kConfigHeader, reply.end());
  return {};
}

Result<> VhostUserFrontEnd::run(std::span<const VhostQueue> queues, std::span<const DmaFile> memory) {
  for (std::uint32_t i = 0; i < bases_.size(); ++i) {
    const auto state = TRY(connection_.ask(Request::GetVringBase, kVringStateSize, vring_state(i, 0)));
    bases_[i] = load_le<std::uint32_t>(state, 4);
  }
  bases_.resize(queues.size());
  TRY(set_memory(memory));
  for (std::uint32_t i = 0; i < queues.size(); ++i) TRY(start(i, queues[i]));
  return {};
}

Result<> VhostUserFrontEnd::set_memory(std::span<const DmaFile> memory) {
  if (memory.size() > kRegionsMaximum)
    return fail(Error::Code::ConfigUnsupported, "vhost-user takes {} parts of memory at most, not {}",
                kRegionsMaximum, memory.size());
  std::vector<int> fds;
  for (const DmaFile& file : memory) fds.push_back(file.fd);
  return connection_.command(Request::SetMemTable, memory_table(memory), fds);
}

// A ring starts with its kick, and works when it is enabled.
Result<> VhostUserFrontEnd::start(std::uint32_t index, const VhostQueue& queue) {
  TRY(connection_.tell(Request::SetVringNum, vring_state(index, queue.size)));
  TRY(connection_.tell(Request::SetVringBase, vring_state(index, bases_[index])));
  TRY(connection_.tell(Request::SetVringAddr, vring_address(index, queue)));
  TRY(connection_.tell(Request::SetVringCall, number(index), std::array{queue.call}));
  TRY(connection_.tell(Request::SetVringKick, number(index), std::array{queue.kick}));
  return connection_.command(Request::SetVringEnable, vring_state(index, 1));
}

}  // namespace virttdx
