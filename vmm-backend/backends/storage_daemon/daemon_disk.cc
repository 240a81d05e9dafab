// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/storage_daemon/daemon_disk.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "backends/storage_daemon/daemon_arguments.h"
#include "backends/vhost_user/blk_engine.h"
#include "devices/virtio/virtio_spec.h"
#include "devices/virtio_blk/virtio_blk_spec.h"
#include "support/byte_order.h"
#include "support/log.h"

namespace virttdx {

using namespace virtio_blk_spec;

namespace {

constexpr std::uint64_t kNeededFeatures =
    kFeatureSegMax | kFeatureFlush | virtio_spec::kFeatureIndirectDescriptors;
constexpr std::uint64_t kWelcomeFeatures =
    kFeatureReadOnly | kFeatureBlockSize | kFeatureMultiQueue | kFeatureDiscard | kFeatureWriteZeroes;
constexpr std::uint32_t kSegmentsMaximum = 1022;

bool is_local(const DiskConfig& config) {
  return config.source->protocol == DiskProtocol::File || config.source->protocol == DiskProtocol::Block;
}

}  // namespace

Result<std::unique_ptr<DaemonDisk>> DaemonDisk::create(const DiskConfig& config,
                                                       DiskSurroundings surroundings) {
  auto daemon = TRY(start_storage_daemon(config));
  auto disk = create_on(config, std::move(daemon.connections), std::move(surroundings));
  if (!disk) return tl::unexpected<Error>(explain_failure(config, *daemon.process, disk.error()));
  (*disk)->process_ = std::move(daemon.process);
  return disk;
}

Result<std::unique_ptr<DaemonDisk>> DaemonDisk::create_on(const DiskConfig& config,
                                                          DaemonConnections connections,
                                                          DiskSurroundings surroundings) {
  VhostUserConnection connection(std::move(connections.disk),
                                 fmt::format("storage daemon of disk '{}'", config.target));
  auto front_end = TRY(VhostUserFrontEnd::create(std::move(connection), {.features = kNeededFeatures,
                                                                         .may_features = kWelcomeFeatures,
                                                                         .queues = config.queues,
                                                                         .config_size = kConfigSize}));
  std::unique_ptr<DaemonDisk> disk(new DaemonDisk(config, std::move(front_end), std::move(surroundings)));
  TRY(disk->set_up());
  disk->monitor_ = QmpConnection(std::move(connections.monitor));
  disk->life_ = std::move(connections.life);
  return disk;
}

Result<> DaemonDisk::set_up() {
  TRY(read_properties());
  TRY(add_queues());
  return use_memory({});
}

Result<> DaemonDisk::read_properties() {
  const auto config = front_end_.config();
  const bool through = config_.cache == DiskCache::Writethrough || config_.cache == DiskCache::Directsync;
  const auto has = [&](std::uint64_t feature) { return (front_end_.features() & feature) != 0; };
  const auto segments = load_le<std::uint32_t>(config, kConfigSegMax);
  segments_ = static_cast<std::uint16_t>(std::clamp<std::uint32_t>(segments, 1, kSegmentsMaximum));
  properties_ = {.capacity = load_le<std::uint64_t>(config, kConfigCapacity) * kSectorSize,
                 .read_only = config_.read_only || has(kFeatureReadOnly),
                 .discard = config_.discard && has(kFeatureDiscard),
                 .write_zeroes = has(kFeatureWriteZeroes),
                 .writeback = !through,
                 .logical_block_size = config_.logical_block_size,
                 .physical_block_size = std::max(config_.physical_block_size, config_.logical_block_size),
                 .event_index = config_.event_index,
                 .queue_size = config_.queue_size,
                 .segments = segments_,
                 .serial = config_.serial};
  const auto discard = load_le<std::uint32_t>(config, kConfigDiscardMaximumSectors);
  const auto zeroes = load_le<std::uint32_t>(config, kConfigZeroesMaximumSectors);
  properties_.range_maximum =
      std::min(properties_.range_maximum, std::max(std::min(discard, zeroes), 1U) * kSectorSize);
  if (properties_.capacity == 0 || properties_.capacity % config_.logical_block_size != 0)
    return fail(Error::Code::InvalidArgument, "{}: its {} bytes are no blocks of {} bytes", name(),
                properties_.capacity, config_.logical_block_size);
  set_capacity(properties_.capacity);
  return {};
}

Result<> DaemonDisk::add_queues() {
  const auto chain = static_cast<std::uint16_t>(segments_ + VhostUserBlkEngine::kExtraBuffers);
  const std::size_t bytes = DriverQueue::bytes_needed(config_.queue_size, chain);
  rings_.emplace(TRY(MemoryFile::create("disk-queues", bytes * config_.queues)));
  for (std::size_t i = 0; i < config_.queues; ++i) {
    DriverQueue queue(rings_->bytes().subspan(i * bytes, bytes), config_.queue_size, chain);
    auto engine = TRY(VhostUserBlkEngine::create({.name = name(),
                                                  .queue = std::move(queue),
                                                  .socket = front_end_.socket(),
                                                  .segments = segments_,
                                                  .has_flush = true}));
    rings_of_queues_.push_back(engine->queue());
    TRY(add_queue(config_.queue_size, std::move(engine)));
  }
  return {};
}

Result<> DaemonDisk::use_memory(std::span<const DmaFile> memory) {
  std::vector<DmaFile> files(memory.begin(), memory.end());
  files.push_back({rings_->bytes(), rings_->fd(), 0});
  auto running = front_end_.run(rings_of_queues_, files);
  // A disk in error is no reason to keep a new TD from running; its queues have said so.
  if (!running && !queues_are_new_ && has_hung_up(front_end_.socket())) return {};
  queues_are_new_ = false;
  return running;
}

std::optional<struct stat> DaemonDisk::image_status() const {
  struct stat status {};
  if (!is_local(config_) || ::stat(config_.source->path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

Result<std::uint64_t> DaemonDisk::resize_image(std::uint64_t bytes) {
  auto resized = monitor_.execute("block_resize", {{"node-name", kStorageDaemonNode}, {"size", bytes}});
  if (!resized)
    return tl::unexpected<Error>(std::move(resized).error().with_context("cannot resize " + name()));
  return bytes;
}

std::optional<pid_t> DaemonDisk::pid() const {
  return process_ ? std::optional(process_->pid()) : std::nullopt;
}

}  // namespace virttdx
