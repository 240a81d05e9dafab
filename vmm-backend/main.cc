// SPDX-License-Identifier: GPL-2.0-or-later
// virttdx-vmm: one process, one trust domain.
#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <new>
#include <optional>

#include "disk_opener.h"
#include "interface_opener.h"
#include "log_of_td.h"
#include "machine/system_clock.h"
#include "monitor.h"
#include "options.h"
#include "support/file.h"
#include "support/unique_fd.h"
#include "tdx/capabilities.h"

namespace virttdx {
namespace {

enum ExitCode : int { kEnded = 0, kFailed = 1, kUsage = 2 };

constexpr std::size_t kConfigMaximum = 1 << 20;

Result<std::string> read_standard_input() {
  std::string text;
  std::array<char, 65536> buffer;
  while (text.size() <= kConfigMaximum) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "cannot read standard input");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return fail(Error::Code::InvalidData, "standard input has more than {} bytes", kConfigMaximum);
}

Result<std::string> read_text(const std::string& name) {
  return name == "-" ? read_standard_input() : read_text_file(name, kConfigMaximum);
}

Result<VmConfig> read_config(const std::string& name) {
  const auto text = TRY(read_text(name));
  auto config = vm_config_from_json(text);
  auto valid = config ? validate(*config) : Result<>(tl::unexpected<Error>(config.error()));
  if (!valid) return tl::unexpected<Error>(std::move(valid).error().with_context(name));
  return config;
}

// What the driver hands over (secrets of disks) is not for every program that the monitor starts.
Result<> keep_inherited_descriptors() {
  if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    return fail_errno(errno, "cannot keep inherited descriptors from other programs");
  return {};
}

int run_td(const Options& options) {
  if (const auto kept = keep_inherited_descriptors(); !kept) {
    log::error("{}", kept.error().message());
    return kFailed;
  }
  const auto config = read_config(options.config);
  if (!config) {
    log::error("{}", config.error().message());
    return kUsage;
  }
  use_time_zone(*config);
  auto monitor = Monitor::create(*config, options);
  if (!monitor) {
    log::error("{}: {}", config->name, monitor.error().message());
    return kFailed;
  }
  const auto reason = (*monitor)->run();
  return reason == StopReason::Crashed || reason == StopReason::LaunchFailed ? kFailed : kEnded;
}

// For who starts it, what is wrong is all that it says.
int add_device(const Options& options) {
  std::optional<LogOfTd> log;
  const auto added = [&]() -> Result<> {
    TRY(keep_inherited_descriptors());
    if (!options.log.empty()) log = TRY(LogOfTd::begin(options.log));
    const auto json = TRY(read_text(options.config));
    return options.mode == Options::Mode::AddDisk ? open_disk_for_monitor(json, options.control_socket)
                                                  : open_interface_for_monitor(json, options.control_socket);
  }();
  if (added) return kEnded;
  if (log)
    log->report(added.error().message());
  else
    std::fprintf(stderr, "%s\n", added.error().message().c_str());
  return kFailed;
}

Result<std::unique_ptr<KernelCalls>> open_kernel(const Options& options) {
  if (options.host == HostKind::Kvm) return linux_kernel_calls();
  return TRY(open_soft_host(options));
}

// Opening loads the kernel's module.
bool can_be_opened(const char* device) {
  return static_cast<bool>(UniqueFd(::open(device, O_RDWR | O_CLOEXEC)));
}

int print_host_capabilities(const Options& options) {
  const auto kernel = open_kernel(options);
  if (!kernel) {
    log::error("{}", kernel.error().message());
    return kFailed;
  }
  auto host = read_host_capabilities(**kernel, options.host);
  host.vhost_net = can_be_opened("/dev/vhost-net");
  host.vhost_vsock = can_be_opened("/dev/vhost-vsock");
  std::puts(host_capabilities_to_json(host).c_str());
  return kEnded;
}

int run(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "virttdx-vmm: %s; see --help\n", options.error().message().c_str());
    return kUsage;
  }
  log::set_threshold(options->log_level);
  switch (options->mode) {
    case Options::Mode::Help:
      std::fputs(usage_text().c_str(), stdout);
      return kEnded;
    case Options::Mode::Version:
      std::puts("virttdx-vmm " VIRTTDX_VERSION);
      return kEnded;
    case Options::Mode::HostCapabilities:
      return print_host_capabilities(*options);
    case Options::Mode::AddDisk:
    case Options::Mode::AddInterface:
      return add_device(*options);
    case Options::Mode::Run:
      return run_td(*options);
  }
  return kUsage;
}

}  // namespace
}  // namespace virttdx

int main(int argc, char** argv) {
  try {
    return virttdx::run(argc, argv);
  } catch (const std::bad_alloc&) {
    virttdx::log::error("out of memory");
    return 1;
  }
}
