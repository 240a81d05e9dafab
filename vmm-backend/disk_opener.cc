// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_opener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "backends/cdrom_medium.h"
#include "backends/storage_daemon/started_daemon.h"
#include "control/device_config_json.h"
#include "monitor_peer.h"
#include "vmm_backend/storage_daemon.h"

namespace virttdx {
namespace {

struct Ends {
  UniqueFd ours, theirs;
};

Result<Ends> make_ends() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno(errno, "cannot create a socket");
  return Ends{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<DiskConfig> read_config(std::string_view json) {
  const auto parsed = TRY(parse_json(json, kDeviceConfigMaximum));
  auto config = TRY(from_json<DiskConfig>(parsed, ""));
  if (config.kind == DiskKind::Cdrom) config = disk_of_cdrom(config);
  if (needs_storage_daemon(config)) return config;
  return fail(Error::Code::InvalidArgument,
              "disk '{}' needs no storage daemon; give it to the monitor itself (device-add, medium-offer)",
              config.target);
}

struct Kept {
  std::unique_ptr<DaemonProcess> daemon;
  UniqueFd life;  ///< hangs up when the monitor has let the disk go
};

Result<Kept> give_disk(const DiskConfig& config, ControlClient& monitor) {
  auto life = TRY(make_ends());
  auto started = TRY(start_storage_daemon(config));
  std::vector<UniqueFd> descriptors;
  descriptors.push_back(std::move(started.connections.disk));
  descriptors.push_back(std::move(started.connections.monitor));
  descriptors.push_back(std::move(life.theirs));
  const auto command =
      config.kind == DiskKind::Cdrom ? control_command::kMediumOffer : control_command::kDeviceAdd;
  const auto given = give(monitor, command, {{"disk", disk_config_to_json(config)}}, std::move(descriptors));
  if (!given) return tl::unexpected<Error>(explain_failure(config, *started.process, given.error()));
  return Kept{std::move(started.process), std::move(life.ours)};
}

// Nothing comes: the wait is for the other end's close.
void wait_for_hang_up(int socket) {
  pollfd ended{socket, 0, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) continue;
}

// The storage daemon's parent, which it must not survive.
[[noreturn]] void keep_daemon(const DiskConfig& config, const std::filesystem::path& control_socket,
                              UniqueFd report) {
  ::setsid();
  auto kept = [&]() -> Result<Kept> {
    auto monitor = TRY(join_monitor(control_socket));
    return give_disk(config, monitor);
  }();
  if (!kept) {
    const auto& message = kept.error().message();
    [[maybe_unused]] const auto told = ::write(report.get(), message.data(), message.size());
    ::_exit(1);
  }
  // It is in its slot: nobody waits for more.
  report.reset();
  wait_for_hang_up(kept->life.get());
  kept->daemon.reset();
  ::_exit(0);
}

std::string read_report(int socket) {
  std::string text;
  std::array<char, 4096> bytes{};
  ssize_t count = 0;
  while ((count = ::read(socket, bytes.data(), bytes.size())) > 0 || (count < 0 && errno == EINTR))
    if (count > 0) text.append(bytes.data(), static_cast<std::size_t>(count));
  return text;
}

}  // namespace

Result<> open_disk_for_monitor(std::string_view json, const std::filesystem::path& control_socket) {
  const auto config = TRY(read_config(json));
  auto report = TRY(make_ends());
  const pid_t child = ::fork();
  if (child < 0) return fail_errno(errno, "cannot start a process that keeps the storage daemon");
  if (child == 0) {
    report.ours.reset();
    keep_daemon(config, control_socket, std::move(report.theirs));
  }
  report.theirs.reset();
  const auto problem = read_report(report.ours.get());
  if (problem.empty() && ::waitpid(child, nullptr, WNOHANG) == 0) return {};
  return fail(Error::Code::System, "{}",
              problem.empty() ? fmt::format("disk '{}': the process that keeps its storage daemon has ended",
                                            config.target)
                              : problem);
}

}  // namespace virttdx
