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

constexpr auto kProgram = "qemu-storage-daemon";
constexpr std::uint64_t kNeededFeatures =
    kFeatureSegMax | kFeatureFlush | virtio_spec::kFeatureIndirectDescriptors;
constexpr std::uint64_t kWelcomeFeatures =
    kFeatureReadOnly | kFeatureBlockSize | kFeatureMultiQueue | kFeatureDiscard | kFeatureWriteZeroes;
constexpr std::uint32_t kSegmentsMaximum = 1022;

/// A listening socket that nobody but the daemon reaches, and the one connection to it.
struct Sockets {
  UniqueFd listener, connection;
};

Result<> listen_and_connect(Sockets& sockets, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Error::Code::InvalidArgument, "the path '{}' is too long for a socket; set TMPDIR", path);
  std::ranges::copy(path, address.sun_path);
  const auto* const name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(sockets.listener.get(), name, sizeof address) != 0 || ::listen(sockets.listener.get(), 1) != 0 ||
      ::connect(sockets.connection.get(), name, sizeof address) != 0)
    return fail_errno(errno, "cannot make the socket '{}'", path);
  return {};
}

// Connected before the daemon runs, and without a name as soon as it is.
Result<Sockets> make_sockets() {
  Sockets sockets{UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                  UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  if (!sockets.listener || !sockets.connection) return fail_errno(errno, "cannot create a socket");
  std::error_code no_exception;
  auto directory = std::filesystem::temp_directory_path(no_exception).string() + "/virttdx-disk-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return fail_errno(errno, "cannot create '{}'", directory);
  auto connected = listen_and_connect(sockets, directory + "/socket");
  std::filesystem::remove_all(directory, no_exception);
  TRY(std::move(connected));
  return sockets;
}

bool is_local(const DiskConfig& config) {
  return config.source->protocol == DiskProtocol::File || config.source->protocol == DiskProtocol::Block;
}

// The daemon gets it open: it may be a pipe, whose bytes are there once, or a file that only we may open.
Result<UniqueFd> open_secret(const DiskConfig& config, const std::optional<std::string>& file) {
  if (!file) return UniqueFd();
  UniqueFd secret(::open(file->c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!secret) return fail_errno(errno, "disk '{}': cannot open the secret '{}'", config.target, *file);
  return secret;
}

struct MonitorSockets {
  UniqueFd ours, the_daemons;
};

Result<MonitorSockets> make_monitor_sockets(const DiskConfig& config) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno(errno, "disk '{}': cannot create a socket", config.target);
  return MonitorSockets{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<std::unique_ptr<DaemonProcess>> start_daemon(const DiskConfig& config, int listener, int monitor) {
  const auto program = find_program(kProgram);
  if (!program)
    return fail(Error::Code::ConfigUnsupported,
                "disk '{}': {}, which serves other disks than raw files; install package qemu-system-common",
                config.target, program.error().message());
  const auto access = TRY(open_secret(config, config.source->secret_file));
  const auto luks = TRY(open_secret(config, config.source->luks_passphrase_file));
  std::vector<int> inherited = {listener, monitor};
  for (const auto* secret : {&access, &luks})
    if (*secret) inherited.push_back(secret->get());
  auto arguments = TRY(storage_daemon_arguments(config, {.listener = listener,
                                                         .monitor = monitor,
                                                         .access_secret = access.get(),
                                                         .luks_passphrase = luks.get()}));
  return DaemonProcess::start({.program = *program,
                               .arguments = std::move(arguments),
                               .inherited = std::move(inherited),
                               .needs_network = !is_local(config)});
}

tl::unexpected<Error> explain(const DiskConfig& config, DaemonProcess& daemon, const Error& error) {
  const auto end = daemon.end_of_life();
  if (end.empty()) return fail(error.code(), "{}", error.message());
  return fail(Error::Code::System, "disk '{}': {} {}; its messages are above", config.target, kProgram, end);
}

}  // namespace

Result<std::unique_ptr<DaemonDisk>> DaemonDisk::create(const DiskConfig& config,
                                                       DiskSurroundings surroundings) {
  auto sockets = make_sockets();
  if (!sockets)
    return tl::unexpected<Error>(std::move(sockets).error().with_context("disk " + config.target));
  auto monitor = TRY(make_monitor_sockets(config));
  auto process = TRY(start_daemon(config, sockets->listener.get(), monitor.the_daemons.get()));
  // Its end closes the connections only when the daemon has the last copies.
  sockets->listener.reset();
  monitor.the_daemons.reset();
  auto disk = create_on(config, std::move(sockets->connection), std::move(surroundings));
  if (!disk) return explain(config, *process, disk.error());
  (*disk)->process_ = std::move(process);
  (*disk)->monitor_ = QmpConnection(std::move(monitor.ours));
  return disk;
}

Result<std::unique_ptr<DaemonDisk>> DaemonDisk::create_on(const DiskConfig& config, UniqueFd socket,
                                                          DiskSurroundings surroundings) {
  VhostUserConnection connection(std::move(socket),
                                 fmt::format("storage daemon of disk '{}'", config.target));
  auto front_end = TRY(VhostUserFrontEnd::create(std::move(connection), {.features = kNeededFeatures,
                                                                         .may_features = kWelcomeFeatures,
                                                                         .queues = config.queues,
                                                                         .config_size = kConfigSize}));
  std::unique_ptr<DaemonDisk> disk(new DaemonDisk(config, std::move(front_end), std::move(surroundings)));
  TRY(disk->set_up());
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
