// SPDX-License-Identifier: GPL-2.0-or-later
#include "host_source.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QProcess>

#include "support/file.h"

namespace virttdx::tools {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr std::size_t kRecordMaximum = 1 << 20;

// As the daemon does: this program opens no /dev/kvm and links no engine.
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

Result<HostCapabilities> read_record(const QString& path) {
  auto host = host_capabilities_from_json(TRY(read_text_file(path.toStdString(), kRecordMaximum)));
  if (!host)
    return tl::unexpected<Error>(
        std::move(host).error().with_context("host record '" + path.toStdString() + "'"));
  return host;
}

// The build tree has its profiles beside the program.
QStringList profile_directories() {
  return {QDir(QCoreApplication::applicationDirPath()).filePath("hosts"), VIRTTDX_DATADIR "/virttdx/hosts"};
}

QString names_of_profiles() {
  for (const auto& directory : profile_directories()) {
    auto files = QDir(directory).entryList({"*.json"}, QDir::Files, QDir::Name);
    files.replaceInStrings(".json", "");
    if (!files.isEmpty()) return files.join(", ");
  }
  return "none is installed";
}

}  // namespace

QString monitor_program() {
  const auto set = qEnvironmentVariable("VIRTTDX_VMM");
  if (!set.isEmpty()) return set;
  const auto in_build = QDir(QCoreApplication::applicationDirPath()).filePath("../vmm-backend/virttdx-vmm");
  return QFileInfo::exists(in_build) ? QDir::cleanPath(in_build) : QString(VIRTTDX_LIBEXECDIR "/virttdx-vmm");
}

Result<HostCapabilities> host_from(const QString& host) {
  if (host == "kvm" || host == "soft") return ask_monitor(host);
  if (host.contains('/') || host.endsWith(".json")) return read_record(host);
  for (const auto& directory : profile_directories())
    if (const auto path = QDir(directory).filePath(host + ".json"); QFileInfo::exists(path))
      return read_record(path);
  return fail(Error::Code::InvalidArgument,
              "--host '{}' is neither 'kvm', 'soft', a FILE.json, nor a profile ({})", host.toStdString(),
              names_of_profiles().toStdString());
}

}  // namespace virttdx::tools
