// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "backends/interface_host_side.h"
#include "support/unique_fd.h"

namespace virttdx {
namespace {

// PORTS of passt(1).
std::string ports_of(const PortForward& forward) {
  std::string text;
  if (forward.address) text += *forward.address;
  if (forward.device) text += '%' + *forward.device;
  if (forward.address) text += '/';
  if (forward.ranges.empty()) return text + "all";
  for (const auto& range : forward.ranges) {
    if (&range != &forward.ranges.front()) text += ',';
    if (range.exclude) text += '~';
    text += std::to_string(range.start);
    if (range.end) text += fmt::format("-{}", *range.end);
    if (range.to) text += fmt::format(":{}", *range.to);
    if (range.to && range.end) text += fmt::format("-{}", *range.to + (*range.end - range.start));
  }
  return text;
}

std::vector<std::string> command_line(const NetworkInterfaceConfig& config, int socket) {
  // In the background it leaves its starter when it is ready, and ends with its connection.
  std::vector<std::string> words = {"passt", "--quiet", "--fd", std::to_string(socket)};
  if (config.link) words.insert(words.end(), {"--interface", *config.link});
  if (config.mtu) words.insert(words.end(), {"--mtu", std::to_string(*config.mtu)});
  for (const auto& [address, prefix] : config.addresses) {
    words.insert(words.end(), {"--address", address});
    if (prefix) words.insert(words.end(), {"--netmask", std::to_string(*prefix)});
  }
  for (const auto& forward : config.port_forwards) {
    const bool is_tcp = forward.protocol == TransportProtocol::Tcp;
    words.insert(words.end(), {is_tcp ? "--tcp-ports" : "--udp-ports", ports_of(forward)});
  }
  return words;
}

Result<> run(const NetworkInterfaceConfig& config, const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int spawned = ::posix_spawnp(&pid, "passt", nullptr, nullptr, arguments.data(), environ);
  if (spawned != 0)
    return fail_errno(spawned, "interface '{}': cannot start passt; install package passt", config.id);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(Error::Code::System, "interface '{}': passt ended with status {:#x}; its messages are above",
              config.id, status);
}

}  // namespace

Result<InterfaceHostSide> open_passt(const NetworkInterfaceConfig& config) {
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail_errno(errno, "interface '{}': cannot create a socket pair", config.id);
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  // Only passt's end survives exec; one thread of a process starts programs.
  if (::fcntl(theirs.get(), F_SETFD, 0) != 0 || ::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0)
    return fail_errno(errno, "interface '{}': cannot prepare the socket of passt", config.id);
  TRY(run(config, command_line(config, theirs.get())));
  InterfaceHostSide side;
  side.queues.push_back(std::move(ours));
  return side;
}

}  // namespace virttdx
