// SPDX-License-Identifier: GPL-2.0-or-later
#include "devices/virtio_blk/virtio_blk.h"

#include <algorithm>
#include <bit>

#include "devices/virtio/virtio_spec.h"
#include "devices/virtio_blk/virtio_blk_queue.h"
#include "support/byte_order.h"

namespace virttdx {

using namespace virtio_blk_spec;

namespace {

// A chain is header, data, status.
constexpr std::uint32_t kSegMax = kChainMaximum - 2;

}  // namespace

VirtioBlk::VirtioBlk(BlockBackend& backend) : backend_(backend), writeback_(backend.properties().writeback) {}

VirtioBlk::~VirtioBlk() { stop(); }

std::uint16_t VirtioBlk::type() const { return virtio_spec::kDeviceBlock; }

std::uint64_t VirtioBlk::features() const {
  const auto& disk = backend_.properties();
  std::uint64_t features =
      kFeatureSegMax | kFeatureBlockSize | kFeatureFlush | kFeatureTopology | kFeatureConfigWriteback;
  if (backend_.queue_count() > 1) features |= kFeatureMultiQueue;
  if (disk.read_only) return features | kFeatureReadOnly;
  return features | (disk.write_zeroes ? kFeatureWriteZeroes : 0) | (disk.discard ? kFeatureDiscard : 0);
}

std::vector<std::uint16_t> VirtioBlk::queue_sizes() const {
  return std::vector<std::uint16_t>(backend_.queue_count(), backend_.properties().queue_size);
}

void VirtioBlk::read_config(std::size_t offset, std::span<std::byte> data) {
  const auto& disk = backend_.properties();
  std::array<std::byte, kConfigSize> config{};
  store_le<std::uint64_t>(config, kConfigCapacity, backend_.capacity() / kSectorSize);
  store_le<std::uint32_t>(
      config, kConfigSegMax,
      std::clamp<std::uint32_t>(disk.queue_size - 2U, 1, std::min(disk.segments, kSegMax)));
  store_le<std::uint32_t>(config, kConfigBlockSize, disk.logical_block_size);
  store_le<std::uint8_t>(
      config, kConfigPhysicalBlockExponent,
      static_cast<std::uint8_t>(std::countr_zero(disk.physical_block_size / disk.logical_block_size)));
  store_le<std::uint16_t>(config, kConfigMinimumIo,
                          static_cast<std::uint16_t>(disk.physical_block_size / disk.logical_block_size));
  store_le<std::uint8_t>(config, kConfigWriteback, writeback_ ? 1 : 0);
  store_le<std::uint16_t>(config, kConfigQueues, static_cast<std::uint16_t>(backend_.queue_count()));
  const auto alignment = static_cast<std::uint32_t>(disk.physical_block_size / kSectorSize);
  const auto range = static_cast<std::uint32_t>(disk.range_maximum / kSectorSize);
  store_le<std::uint32_t>(config, kConfigDiscardMaximumSectors, range);
  store_le<std::uint32_t>(config, kConfigDiscardMaximumSegments, 1);
  store_le<std::uint32_t>(config, kConfigDiscardAlignment, alignment);
  store_le<std::uint32_t>(config, kConfigZeroesMaximumSectors, range);
  store_le<std::uint32_t>(config, kConfigZeroesMaximumSegments, 1);
  store_le<std::uint8_t>(config, kConfigZeroesMayUnmap, disk.discard ? 1 : 0);
  read_structure(config, offset, data);
}

void VirtioBlk::write_config(std::size_t offset, std::span<const std::byte> data) {
  if (offset != kConfigWriteback || data.size() != 1) return;
  // Only a driver that negotiated it may change it; before that the register holds the back end's default.
  if (session_.has(kFeatureConfigWriteback)) writeback_ = data[0] != std::byte{0};
}

void VirtioBlk::start(const VirtioSession& session) {
  session_ = session;
  // 5.2.5.2: a driver that knows no flush gets a disk without a volatile cache.
  if (!session.has(kFeatureFlush)) writeback_ = false;
  queues_.resize(session_.queues.size());
  for (std::size_t i = 0; i < queues_.size(); ++i) start_queue(i);
}

void VirtioBlk::start_queue(std::size_t index) {
  if (session_.queues[index] == nullptr) return;
  queues_[index] = std::make_unique<VirtioBlkQueue>(VirtioBlkQueue::Parts{
      *session_.queues[index], backend_.queue(index), backend_, backend_.properties(), session_, writeback_});
  backend_.queue(index).set_client(queues_[index].get());
}

void VirtioBlk::stop_queue(std::size_t index) {
  if (queues_[index] != nullptr) backend_.queue(index).set_client(nullptr);
  queues_[index] = nullptr;
}

void VirtioBlk::replace_queue(std::size_t index, Virtqueue* queue) {
  stop_queue(index);
  session_.queues[index] = queue;
  start_queue(index);
}

void VirtioBlk::stop() {
  for (std::size_t i = 0; i < queues_.size(); ++i) stop_queue(i);
  queues_.clear();
  session_ = {};
  writeback_ = backend_.properties().writeback;
}

}  // namespace virttdx
