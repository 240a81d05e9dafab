// SPDX-License-Identifier: GPL-2.0-or-later
#include "interface_opener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "backends/interface_host_side.h"
#include "control/device_config_json.h"
#include "support/log.h"
#include "vmm_backend/control_client.h"

namespace virttdx {
namespace {

using std::chrono_literals::operator""s;

// A monitor answers at once, unless it launches or is stuck.
constexpr auto kPatience = 30s;
constexpr std::size_t kConfigMaximum = 1 << 16;

// cgroups(7), version 2: "0::/machine.slice/...".
std::string control_group_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/cgroup", pid));
  constexpr std::string_view kPrefix = "0::";
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(kPrefix)) return line.substr(kPrefix.size());
  return {};
}

// What is started for a TD is counted, limited and ended with it. Without the right to do so it works as
// well.
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

Result<> open_interface_for_monitor(std::string_view json, const std::filesystem::path& control_socket) {
  const auto parsed = TRY(parse_json(json, kConfigMaximum));
  auto config = TRY(from_json<NetworkInterfaceConfig>(parsed, ""));
  auto monitor = TRY(ControlClient::connect(control_socket, kPatience));
  join_control_group(monitor);
  auto side = TRY(open_host_side(config));
  config.device = side.device;
  const nlohmann::json arguments = {{"interface", interface_config_to_json(config)}};
  const auto reply =
      TRY(monitor.call(control_command::kDeviceAdd, arguments, kPatience, give_away(std::move(side))));
  if (!reply.result) return tl::unexpected<Error>(reply.result.error());
  return {};
}

}  // namespace virttdx
