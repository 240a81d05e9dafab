// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx run: one TD from a kernel on the command line, its console in this terminal.
#include <sys/mman.h>
#include <unistd.h>

#include <QFileInfo>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>

#include "command.h"
#include "domain_xml/plan.h"
#include "host_source.h"
#include "support/unique_fd.h"

namespace virttdx::tools {
namespace {

constexpr std::uint64_t kKiB = 1024, kMiB = kKiB * kKiB, kGiB = kMiB * kKiB;
constexpr std::uint64_t kDefaultMemory = kGiB;
constexpr auto kDefaultCommandLine = "console=ttyS0";

Result<std::uint64_t> parse_memory(const QString& text) {
  if (text.isEmpty()) return kDefaultMemory;
  const QString units = "KMG";
  const auto unit = units.indexOf(text.back().toUpper());
  constexpr std::array kFactors = {kMiB, kKiB, kMiB, kGiB};  // no unit: MiB
  bool good = false;
  const auto number = (unit < 0 ? text : text.chopped(1)).toULongLong(&good);
  const auto factor = kFactors.at(static_cast<std::size_t>(unit + 1));
  if (!good || number > std::numeric_limits<std::uint64_t>::max() / factor)
    return fail(Error::Code::InvalidArgument,
                "--memory '{}' is not a number of MiB, or one with K, M or G behind it", text.toStdString());
  return number * factor;
}

Result<std::uint32_t> parse_vcpus(const QString& text) {
  if (text.isEmpty()) return 1;
  bool good = false;
  const auto number = text.toUInt(&good);
  if (!good || number == 0)
    return fail(Error::Code::InvalidArgument, "--vcpus '{}' is not a number from 1 on", text.toStdString());
  return number;
}

std::string absolute(const QString& path) { return QFileInfo(path).absoluteFilePath().toStdString(); }

Result<domain_xml::Os> os_of(const CommandLine& line) {
  domain_xml::Os os;
  os.machine = "q35";
  if (line.is_set("firmware")) {
    auto& loader = os.loader.emplace();
    loader.path = absolute(line.option("firmware"));
    loader.type = "rom";
  }
  if (!line.is_set("kernel")) {
    if (line.is_set("initrd") || line.is_set("append"))
      return fail(Error::Code::InvalidArgument, "--initrd and --append go with --kernel");
    return os;
  }
  os.kernel = absolute(line.option("kernel"));
  if (line.is_set("initrd")) os.initrd = absolute(line.option("initrd"));
  os.cmdline = line.is_set("append") ? line.option("append").toStdString() : kDefaultCommandLine;
  return os;
}

Result<domain_xml::Domain> domain_of(const CommandLine& line) {
  domain_xml::Domain domain;
  domain.type = "kvm";
  domain.name = "virt-tdx-run";
  domain.memory_kib = TRY(parse_memory(line.option("memory"))) / kKiB;
  domain.vcpus = TRY(parse_vcpus(line.option("vcpus")));
  domain.os = TRY(os_of(line));
  domain.features.emplace().acpi = true;
  domain.cpu.emplace().mode = "host-passthrough";
  if (line.is_set("no-reboot")) domain.on_reboot = domain_xml::LifecycleAction::Destroy;
  domain.launch_security = domain_xml::LaunchSecurity{};
  return domain_xml::complete_definition(std::move(domain), {.emulator = monitor_program().toStdString()});
}

Result<VmConfig> config_of(const CommandLine& line) {
  const auto host_name = line.option("host").isEmpty() ? QString("kvm") : line.option("host");
  if (host_name != "kvm" && host_name != "soft")
    return fail(Error::Code::InvalidArgument, "--host '{}' is neither 'kvm' nor 'soft'",
                host_name.toStdString());
  auto plan = TRY(domain_xml::plan_launch(TRY(domain_of(line)), TRY(host_from(host_name))));
  if (!plan.can_start()) return tl::unexpected<Error>(domain_xml::error_of(plan));
  for (const auto& finding : plan.findings)
    if (finding.severity == domain_xml::Severity::Warning)
      std::fprintf(stderr, "virt-tdx: %s\n", domain_xml::to_string(finding).c_str());
  plan.config.serials = {SerialConfig{}};
  return plan.config;
}

/// A file without a name, which the monitor reads by its descriptor.
Result<UniqueFd> file_with(const std::string& content) {
  UniqueFd file(::memfd_create("vm-config", 0));
  if (!file) return fail_errno(errno, "cannot create a file in memory");
  for (std::size_t done = 0; done < content.size();) {
    const auto count = ::write(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno != EINTR) return fail_errno(errno, "cannot write a file in memory");
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return file;
}

/// Becomes the monitor: the terminal, signals and the exit status are its own.
Result<ExitCode> become_monitor(const VmConfig& config, const std::string& log_level) {
  const auto file = TRY(file_with(vm_config_to_json(config)));
  const auto program = monitor_program().toStdString();
  const auto config_name = fmt::format("/proc/self/fd/{}", file.get());
  ::execl(program.c_str(), program.c_str(), "--config", config_name.c_str(), "--console", "--log-level",
          log_level.c_str(), nullptr);
  return fail_errno(errno, "cannot run '{}'", program);
}

}  // namespace

Result<ExitCode> run_run(const QStringList& words) {
  CommandLine line(
      "Runs one TD from a kernel, with its console in this terminal; Ctrl-A X ends it.\n"
      "Exit status: 0 the guest powered off or was ended, 1 it did not launch or crashed, 2 wrong usage.");
  line.add_option("kernel", "FILE",
                  "bzImage with EFI stub, or a unified kernel image; none: the firmware's shell.");
  line.add_option("initrd", "FILE", "Initial RAM disk.");
  line.add_option("append", "TEXT", "The kernel's command line; console=ttyS0 when not given.");
  line.add_option("firmware", "FILE", "TDVF image; the host's own when not given.");
  line.add_option("memory", "SIZE", "In MiB, or with K, M or G; 1G when not given.");
  line.add_option("vcpus", "COUNT", "1 when not given.");
  line.add_option("host", "HOST", "kvm (default), or soft: the software TDX host, which protects nothing.");
  line.add_option("log-level", "LEVEL", "debug, info, warning (default) or error, on standard error.");
  line.add_flag("no-reboot", "End instead of rebooting.");
  if (!TRY(line.parse(words, 0, 0))) return kOk;
  const auto config = TRY(config_of(line));
  if (line.wants_json()) {
    print_json(nlohmann::json::parse(vm_config_to_json(config)));
    return kOk;
  }
  const auto level = line.option("log-level");
  return become_monitor(config, level.isEmpty() ? "warning" : level.toStdString());
}

}  // namespace virttdx::tools
