// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor_peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "support/log.h"
#include "vmm_backend/monitor_messages.h"

namespace virttdx {
namespace {

// cgroups(7), version 2: "0::/machine.slice/...".
std::string control_group_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cgroup", pid));
  constexpr std::string_view kPrefix = "0::";
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(kPrefix)) return line.substr(kPrefix.size());
  return {};
}

// Without the right to do so it works as well.
void join_control_group(const ControlClient& monitor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(monitor.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  const auto group = control_group_of(peer.pid);
  if (group.empty() || group == control_group_of(::getpid())) return;
  std::ofstream processes("/sys/fs/cgroup" + group + "/cgroup.procs");
  processes << ::getpid() << std::flush;
  if (!processes) log::debug("cannot join the control group '{}'", group);
}

}  // namespace

Result<ControlClient> join_monitor(const std::filesystem::path& control_socket) {
  auto monitor = TRY(ControlClient::connect(control_socket, kMonitorPatience));
  join_control_group(monitor);
  return monitor;
}

Result<> give(ControlClient& monitor, std::string_view command, const nlohmann::json& arguments,
              std::vector<UniqueFd> descriptors) {
  const auto reply = TRY(monitor.call(command, arguments, kMonitorPatience, std::move(descriptors)));
  if (!reply.result) return tl::unexpected<Error>(reply.result.error());
  return {};
}

}  // namespace virttdx
