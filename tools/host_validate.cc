// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx host --validate: what stands between this host and a running TD, in virt-host-validate's form.
#include "host_validate.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "command.h"
#include "domain_xml/plan.h"
#include "host_source.h"
#include "support/file.h"
#include "support/unique_fd.h"

namespace virttdx::tools {
namespace {

enum class Verdict { Pass, Warn, Fail };

struct Outcome {
  Verdict verdict;
  std::string text;  ///< with Pass what was found, else what to do; may be empty
};
Outcome pass(std::string found = {}) { return {Verdict::Pass, std::move(found)}; }
Outcome warn(std::string hint) { return {Verdict::Warn, std::move(hint)}; }
Outcome fail_check(std::string hint) { return {Verdict::Fail, std::move(hint)}; }

struct Examined {
  std::filesystem::path root;  ///< of the files that are looked at
  Result<HostCapabilities> host;

  std::filesystem::path file(std::string_view path) const { return root / path.substr(1); }
  std::string text(std::string_view path) const {
    constexpr std::size_t kMaximum = 8 << 20;
    return read_text_file(file(path), kMaximum).value_or("");
  }
};

// The kernel sets this flag when it has found the TDX module and private key ids (Linux 6.8,
// X86_FEATURE_TDX_HOST_PLATFORM).
Outcome check_platform(const Examined& examined) {
  const auto cpuinfo = examined.text("/proc/cpuinfo");
  if (cpuinfo.find("tdx_host_platform") != std::string::npos) return pass();
  if (cpuinfo.find("GenuineIntel") == std::string::npos)
    return fail_check("this CPU is not Intel's; TDX needs a Xeon of the 5th generation or newer");
  return fail_check(
      "the kernel found no private key ids: enable TME, TME-MT, TDX, the TDX key split and the SEAM loader "
      "in the BIOS, and use a kernel with CONFIG_INTEL_TDX_HOST; 'dmesg | grep tdx' tells more");
}

Outcome check_kernel(const Examined& examined) {
  const auto release = examined.text("/proc/sys/kernel/osrelease");
  unsigned major = 0, minor = 0;
  if (std::sscanf(release.c_str(), "%u.%u", &major, &minor) != 2)
    return warn("the kernel's version could not be read");
  const std::string found = release.substr(0, release.find('\n'));
  if (std::pair(major, minor) >= std::pair(6U, 16U)) return pass(found);
  return warn(
      fmt::format("{} is older than 6.16, the first whose KVM runs TDs; use a newer one, unless yours has "
                  "TDX as a distribution's addition",
                  found));
}

Outcome check_kvm(const Examined& examined) {
  const auto device = examined.file("/dev/kvm");
  std::error_code error;
  if (!std::filesystem::exists(device, error))
    return fail_check("it does not exist: modprobe kvm_intel; virtualization must be enabled in the BIOS");
  if (access(device.c_str(), R_OK | W_OK) != 0)
    return fail_check("it may not be opened: run as root, or join the group kvm");
  return pass();
}

Outcome check_module_parameter(const Examined& examined) {
  const auto value = examined.text("/sys/module/kvm_intel/parameters/tdx");
  if (value.starts_with('Y')) return pass();
  if (value.empty())
    return fail_check("kvm_intel is not loaded or does not know TDX: it needs CONFIG_KVM_INTEL_TDX");
  return fail_check(
      "'options kvm_intel tdx=1' in /etc/modprobe.d, then load kvm_intel again; when it stays N the TDX "
      "module was refused, see dmesg");
}

Outcome check_tds(const Examined& examined) {
  if (!examined.host) return fail_check(examined.host.error().message());
  if (!examined.host->tdx_supported) return fail_check(examined.host->tdx_unsupported_reason);
  return pass(fmt::format("attributes {:#x}, XFAM {:#x}", examined.host->supported_attributes,
                          examined.host->supported_xfam));
}

Outcome check_key_ids(const Examined& examined) {
  if (!examined.host || !examined.host->key_ids)
    return warn("the kernel does not count them: the misc cgroup controller (CONFIG_CGROUP_MISC) is missing");
  const auto all = *examined.host->key_ids, used = examined.host->key_ids_used.value_or(0);
  if (used >= all)
    return fail_check(fmt::format("all {} are in use: end a TD, or give TDX more of them in the BIOS", all));
  return pass(fmt::format("{} of {} free", all - used, all));
}

Outcome check_firmware(const Examined& examined) {
  constexpr std::string_view kLeast =
      "<domain type='kvm'><name>check</name><memory unit='GiB'>1</memory>"
      "<os firmware='efi'><type>hvm</type></os></domain>";
  domain_xml::PlanSources sources;
  for (auto& folder : sources.firmware_descriptors) folder = examined.file(folder.native());
  sources.fallback_firmware = examined.file(sources.fallback_firmware.native());
  auto domain = domain_xml::parse_domain(kLeast);
  if (!domain) return fail_check(domain.error().message());
  auto complete = domain_xml::complete_definition(std::move(*domain), {});
  if (!complete) return fail_check(complete.error().message());
  const auto plan = domain_xml::plan_launch(*complete, examined.host.value_or(HostCapabilities{}), sources);
  if (!plan) return fail_check(plan.error().message());
  for (const auto& finding : plan->findings)
    if (finding.id.starts_with("firmware-") && finding.severity == domain_xml::Severity::Error)
      return fail_check(fmt::format("{}; install ovmf, or a TDVF with its descriptor", finding.message));
  return pass(plan->config.firmware_path);
}

bool somebody_listens(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket && connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

Outcome check_quote_service(const Examined& examined) {
  if (somebody_listens(examined.file("/var/run/tdx-qgs/qgs.socket"))) return pass();
  return warn(
      "nobody listens on /var/run/tdx-qgs/qgs.socket: TDs run, but get no quotes; install and start qgsd of "
      "Intel's DCAP");
}

Outcome check_cpu_map(const Examined& examined) {
  if (!examined.text("/usr/share/libvirt/cpu_map/index.xml").empty()) return pass();
  return warn(
      "/usr/share/libvirt/cpu_map is missing: CPU models and features have no names; install libvirt");
}

Outcome check_daemon(const Examined& examined) {
  if (somebody_listens(examined.file("/run/libvirt/virttdxd-sock"))) return pass();
  return warn("tdx:///system is not served here: systemctl enable --now virttdxd.socket");
}

struct Check {
  std::string_view name;
  Outcome (*run)(const Examined&);
};
constexpr std::array kChecks = {
    Check{"BIOS and CPU for TDX key ids", check_platform},
    Check{"kernel version", check_kernel},
    Check{"device /dev/kvm", check_kvm},
    Check{"module parameter kvm_intel.tdx", check_module_parameter},
    Check{"TDX module and KVM to run TDs", check_tds},
    Check{"private key ids", check_key_ids},
    Check{"firmware for TDs", check_firmware},
    Check{"quote generation service", check_quote_service},
    Check{"libvirt's CPU map", check_cpu_map},
    Check{"libvirt daemon for TDs", check_daemon},
};

std::string_view word(Verdict verdict) {
  constexpr std::array<std::string_view, 3> kWords = {"PASS", "WARN", "FAIL"};
  return kWords.at(static_cast<std::size_t>(verdict));
}

std::string coloured(Verdict verdict) {
  constexpr std::array<std::string_view, 3> kColours = {"\033[32m", "\033[33m", "\033[31m"};
  if (isatty(STDOUT_FILENO) == 0) return std::string(word(verdict));
  return fmt::format("{}{}\033[0m", kColours.at(static_cast<std::size_t>(verdict)), word(verdict));
}

void print_line(const Check& check, const Outcome& outcome) {
  const auto text = printable(outcome.text);
  print(fmt::format("{:>6}: Checking {:<60}: {}{}\n", "TDX", fmt::format("for {}", check.name),
                    coloured(outcome.verdict), text.empty() ? "" : fmt::format(" ({})", text)));
}

}  // namespace

Result<ExitCode> validate_host(const QString& root, bool json) {
  const Examined examined{root.isEmpty() ? "/" : root.toStdString(), host_from("kvm")};
  bool failed = false;
  auto report = nlohmann::json::array();
  for (const auto& check : kChecks) {
    const auto outcome = check.run(examined);
    failed = failed || outcome.verdict == Verdict::Fail;
    if (json)
      report.push_back({{"check", check.name}, {"result", word(outcome.verdict)}, {"text", outcome.text}});
    else
      print_line(check, outcome);
  }
  if (json) print_json(report);
  return failed ? kFindings : kOk;
}

}  // namespace virttdx::tools
