// SPDX-License-Identifier: GPL-2.0-or-later
// virt-tdx host: what a host offers to TDs, shown or recorded.
#include <QDateTime>
#include <QSysInfo>

#include "command.h"
#include "cpuid_text.h"
#include "host_source.h"
#include "host_validate.h"
#include "support/file.h"
#include "vmm_backend/td_bit_names.h"

namespace virttdx::tools {
namespace {

std::string used_key_ids(const HostCapabilities& host) {
  return host.key_ids_used ? fmt::format(", {} of them in use", *host.key_ids_used) : "";
}

std::string_view kind_words(const HostCapabilities& host) {
  if (host.kind == HostKind::Soft) return "software TDX host (emulated, protects nothing)";
  return host.description ? "KVM" : "KVM of this machine";
}

void print_text(const HostCapabilities& host) {
  if (host.description) print(fmt::format("record           {}\n", printable(*host.description)));
  print(fmt::format("host             {}\n", kind_words(host)));
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

/// `host` keeps its description when it has one: it was a record already.
Result<> save(HostCapabilities host, const QString& path) {
  if (!host.description)
    host.description =
        fmt::format("recorded by virt-tdx " VIRTTDX_VERSION " on {} ({} {}) at {}",
                    QSysInfo::machineHostName().toStdString(), QSysInfo::kernelType().toStdString(),
                    QSysInfo::kernelVersion().toStdString(),
                    QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString());
  const auto json = nlohmann::json::parse(host_capabilities_to_json(host), nullptr, false);
  constexpr mode_t kEveryoneReads = 0644;
  return write_file_atomically(path.toStdString(), json.dump(2) + "\n", kEveryoneReads);
}

}  // namespace

Result<ExitCode> run_host(const QStringList& words) {
  CommandLine line("Prints what a host offers to TDs. Exit status 1: no TD can run there.");
  line.add_option(
      "host", "HOST",
      "Which host: the kernel (kvm, default), the software TDX host (soft), a FILE.json of --save, "
      "or a profile: sapphire-rapids, granite-rapids, minimal.");
  line.add_option("save", "FILE.json", "Record the host in this file instead, for 'virt-tdx check --host'.");
  line.add_flag("validate",
                "Check this machine instead, from the BIOS to the daemon, with what to do about it.");
  line.add_option("root", "DIR", "With --validate: look at files below this directory.");
  if (!TRY(line.parse(words, 0, 0))) return kOk;
  if (line.is_set("validate")) return validate_host(line.option("root"), line.wants_json());
  const auto host = TRY(host_from(line.option("host").isEmpty() ? QString("kvm") : line.option("host")));
  if (line.is_set("save"))
    TRY(save(host, line.option("save")));
  else if (line.wants_json())
    print_json(nlohmann::json::parse(host_capabilities_to_json(host), nullptr, false));
  else
    print_text(host);
  return host.tdx_supported ? kOk : kFindings;
}

}  // namespace virttdx::tools
