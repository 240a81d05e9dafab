// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/host_access.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "support/file.h"
#include "support/log.h"
#include "support/unique_fd.h"

namespace virttdx::driver {
namespace {

constexpr std::chrono::seconds kPatience{20};
constexpr std::size_t kOutputMaximum = 1 << 20;

std::string_view word_for(HostKind kind) { return kind == HostKind::Soft ? "soft" : "kvm"; }

[[noreturn]] void become_monitor(char* const* arguments, int output) {
  if (dup2(output, STDOUT_FILENO) >= 0) execv(arguments[0], arguments);
  _exit(127);
}

Result<std::string> read_until_end(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::string text;
  std::array<char, 65536> buffer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return fail(Error::Code::TimedOut, "no answer in {} s", kPatience.count());
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_errno(errno, "read its output");
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > kOutputMaximum)
      return fail(Error::Code::InvalidData, "it printed more than {} bytes", kOutputMaximum);
  }
}

Result<std::string> run_and_read(const std::filesystem::path& binary, std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(errno, "create a pipe");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  words.insert(words.begin(), binary.native());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return fail_errno(errno, "fork");
  if (pid == 0) become_monitor(arguments.data(), write_end.get());
  write_end.reset();
  auto output = read_until_end(read_end.get());
  if (!output) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (output && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
    return fail(Error::Code::System, "it failed (wait status 0x{:x}); its messages are above",
                static_cast<unsigned>(status));
  return output;
}

Result<HostCapabilities> ask_monitor(const HostAccess& host) {
  std::vector<std::string> words = {"--host-capabilities", "--host", std::string(word_for(host.kind))};
  if (!host.soft_profile.empty()) words.insert(words.end(), {"--soft-profile", host.soft_profile.native()});
  const auto json = TRY(run_and_read(host.monitor_binary, std::move(words)));
  return host_capabilities_from_json(json);
}

}  // namespace

Result<std::filesystem::path> find_monitor() {
  if (const char* set = std::getenv("VIRTTDX_VMM"); set != nullptr && set[0] != '\0')
    return std::filesystem::absolute(set);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail_errno(error.value(), "read /proc/self/exe");
  const auto in_build = self.parent_path().parent_path() / "vmm-backend" / "virttdx-vmm";
  if (std::filesystem::exists(in_build, error)) return in_build;
  return std::filesystem::path(VIRTTDX_LIBEXECDIR) / "virttdx-vmm";
}

HostAccess open_host(const DaemonConfig& config, const std::filesystem::path& monitor) {
  HostAccess host;
  host.kind = config.host == HostChoice::Soft ? HostKind::Soft : HostKind::Kvm;
  host.type = config.hypervisor_type;
  host.version = config.hypervisor_version;
  host.require_launch_security = config.require_launch_security;
  host.quote_wait_ms = config.quote_wait;
  host.monitor_binary = monitor;
  host.description = describe_machine(monitor.native());
  if (config.host_uuid) host.description.uuid = *config.host_uuid;
  if (host.kind == HostKind::Soft) host.soft_profile = config.soft_host_profile.value_or("");
  auto capabilities = ask_monitor(host);
  if (capabilities) {
    host.capabilities = std::move(*capabilities);
    // It changes with every TD: the monitor looks again before each launch.
    if (host.kind == HostKind::Kvm) host.capabilities.key_ids_used.reset();
  } else {
    host.capabilities.kind = host.kind;
    host.capabilities.tdx_unsupported_reason =
        fmt::format("'{} --host-capabilities': {}", monitor.native(), capabilities.error().message());
  }
  if (host.kind == HostKind::Soft)
    log::warning(
        "software TDX host chosen: its TDs are emulated and not confidential; for tests and development "
        "only");
  if (!host.capabilities.tdx_supported)
    log::warning("no TD can start on this host: {}", host.capabilities.tdx_unsupported_reason);
  return host;
}

}  // namespace virttdx::driver
