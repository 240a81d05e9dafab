// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends/storage_daemon/started_daemon.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "backends/storage_daemon/daemon_arguments.h"

namespace virttdx {
namespace {

constexpr auto kProgram = "qemu-storage-daemon";

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
  const auto cookies = TRY(open_secret(config, config.source->cookies_file));
  std::vector<int> inherited = {listener, monitor};
  for (const auto* secret : {&access, &luks, &cookies})
    if (*secret) inherited.push_back(secret->get());
  auto arguments = TRY(storage_daemon_arguments(config, {.listener = listener,
                                                         .monitor = monitor,
                                                         .access_secret = access.get(),
                                                         .luks_passphrase = luks.get(),
                                                         .cookies = cookies.get()}));
  return DaemonProcess::start({.program = *program,
                               .arguments = std::move(arguments),
                               .inherited = std::move(inherited),
                               .needs_network = !is_local(config)});
}

}  // namespace

Result<StartedDaemon> start_storage_daemon(const DiskConfig& config) {
  auto sockets = make_sockets();
  if (!sockets)
    return tl::unexpected<Error>(std::move(sockets).error().with_context("disk " + config.target));
  auto monitor = TRY(make_monitor_sockets(config));
  // Our copies of the daemon's ends go, so that its end closes the connections.
  auto process = TRY(start_daemon(config, sockets->listener.get(), monitor.the_daemons.get()));
  return StartedDaemon{{std::move(sockets->connection), std::move(monitor.ours), {}}, std::move(process)};
}

Error explain_failure(const DiskConfig& config, DaemonProcess& daemon, const Error& error) {
  const auto end = daemon.end_of_life();
  if (end.empty()) return error;
  return {Error::Code::System,
          fmt::format("disk '{}': {} {}; its messages are above", config.target, kProgram, end)};
}

Result<DaemonConnections> take_over_daemon(const DiskConfig& config, std::vector<UniqueFd> descriptors) {
  if (descriptors.size() != kDaemonConnections)
    return fail(Error::Code::InvalidArgument, "disk '{}' came with {} descriptors; it needs {}",
                config.target, descriptors.size(), kDaemonConnections);
  return DaemonConnections{std::move(descriptors[0]), std::move(descriptors[1]), std::move(descriptors[2])};
}

}  // namespace virttdx
