// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx host: asks a monitor, as the daemon does: this program opens no /dev/kvm and links no engine.
#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QProcess>

#include "command.h"
#include "cpuid_text.h"
#include "vmm_backend/host_capabilities.h"
#include "vmm_backend/td_bit_names.h"

namespace virttdx::tools {
namespace {

constexpr int kPatienceMs = 20'000;

// As the daemon finds it: the environment, the build tree, the installed one.
QString monitor_program() {
  const auto set = qEnvironmentVariable("VIRTTDX_VMM");
  if (!set.isEmpty()) return set;
  const auto in_build = QDir(QCoreApplication::applicationDirPath()).filePath("../vmm-backend/virttdx-vmm");
  return QFileInfo::exists(in_build) ? in_build : QString(VIRTTDX_LIBEXECDIR "/virttdx-vmm");
}

Result<HostCapabilities> ask_monitor(const QString& host) {
  const auto program = monitor_program();
  QProcess monitor;
  monitor.setProcessChannelMode(QProcess::ForwardedErrorChannel);
  monitor.start(program, {"--host-capabilities", "--host", host});
  if (!monitor.waitForFinished(kPatienceMs))
    return fail(Error::Code::System, "cannot run '{}': {}", program.toStdString(),
                monitor.errorString().toStdString());
  if (monitor.exitStatus() != QProcess::NormalExit || monitor.exitCode() != 0)
    return fail(Error::Code::System, "'{} --host-capabilities' failed with status {}", program.toStdString(),
                monitor.exitCode());
  const auto output = monitor.readAllStandardOutput();
  return host_capabilities_from_json({output.constData(), static_cast<std::size_t>(output.size())});
}

std::string used_key_ids(const HostCapabilities& host) {
  return host.key_ids_used ? fmt::format(", {} of them in use", *host.key_ids_used) : "";
}

void print_text(const HostCapabilities& host) {
  print(fmt::format("host             {}\n", host.kind == HostKind::Soft
                                                 ? "software TDX host (emulated, protects nothing)"
                                                 : "KVM of this machine"));
  if (!host.tdx_supported) {
    print(fmt::format("TDX              no: {}\n", host.tdx_unsupported_reason));
    return;
  }
  print("TDX              yes\n");
  print(fmt::format("attributes       {:#x}: {}\n", host.supported_attributes,
                    td_attribute_names(host.supported_attributes)));
  print(fmt::format("XFAM             {:#x}: {}\n", host.supported_xfam, xfam_names(host.supported_xfam)));
  print(fmt::format("vCPUs            at most {} a TD\n", host.max_vcpus));
  print(fmt::format("GPAW             48{}\n", host.five_level_ept ? " or 52" : ""));
  print(fmt::format("physical address {} bits\n", host.physical_address_bits));
  print(fmt::format("TSC              {} kHz unless a TD asks for another\n", host.tsc_khz));
  if (host.key_ids) print(fmt::format("key ids          {}{}\n", *host.key_ids, used_key_ids(host)));
  print(fmt::format("TDVMCALLs        GetTdVmCallInfo leaf 1: R11 {:#x}, R12 {:#x}\n",
                    host.user_tdvmcallinfo_1_r11, host.user_tdvmcallinfo_1_r12));
  print("\nCPUID bits that can be configured:\n");
  print(cpuid_table(host.configurable_cpuid));
}

}  // namespace

Result<ExitCode> run_host(const QStringList& words) {
  CommandLine line("Prints what this host offers to TDs. Exit status 1: no TD can run here.");
  line.add_option("host", "kvm|soft", "Which host: the kernel (default) or the software TDX host.");
  if (!TRY(line.parse(words, 0, 0))) return kOk;
  const auto kind = line.option("host").isEmpty() ? QString("kvm") : line.option("host");
  if (kind != "kvm" && kind != "soft")
    return fail(Error::Code::InvalidArgument, "--host '{}' is neither 'kvm' nor 'soft'", kind.toStdString());
  const auto host = TRY(ask_monitor(kind));
  if (line.wants_json())
    print_json(nlohmann::json::parse(host_capabilities_to_json(host), nullptr, false));
  else
    print_text(host);
  return host.tdx_supported ? kOk : kFindings;
}

}  // namespace virttdx::tools
