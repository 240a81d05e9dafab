// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor_socket.h"

#include <QUrl>
#include <QUrlQuery>

namespace virttdx::tools {
namespace {

// The places where libvirt's client looks for a session daemon's socket.
QString session_directory() {
  const auto runtime = qEnvironmentVariable("XDG_RUNTIME_DIR");
  if (runtime.startsWith('/')) return runtime + "/libvirt";
  const auto cache = qEnvironmentVariable("XDG_CACHE_HOME");
  return (cache.startsWith('/') ? cache : qEnvironmentVariable("HOME") + "/.cache") + "/libvirt";
}

Result<std::filesystem::path> run_directory(const QString& uri) {
  const QUrl url(uri);
  const auto socket = QUrlQuery(url).queryItemValue("socket", QUrl::FullyDecoded);
  if (url.scheme() != "tdx" || !url.host().isEmpty() || (url.path() != "/system" && url.path() != "/session"))
    return fail(Error::Code::InvalidArgument,
                "connection URI '{}' is none of a daemon of this machine; give tdx:///system, "
                "tdx:///session, or one of "
                "them with ?socket=PATH",
                uri.toStdString());
  if (!socket.isEmpty()) return std::filesystem::path(socket.toStdString()).parent_path();
  if (url.path() == "/system") return std::filesystem::path("/run/libvirt");
  return std::filesystem::path(session_directory().toStdString());
}

Result<std::filesystem::path> socket_of(const CommandLine& line) {
  const auto monitor = line.option("monitor"), directory = line.option("run-directory");
  const auto domain = line.argument(0);
  if (monitor.isEmpty() == domain.isEmpty())
    return fail(Error::Code::InvalidArgument, "give either DOMAIN or --monitor SOCKET; see --help");
  if (!monitor.isEmpty()) return std::filesystem::path(monitor.toStdString());
  if (!directory.isEmpty())
    return std::filesystem::path(directory.toStdString()) / (domain.toStdString() + ".monitor");
  const auto uri = line.option("connect");
  return monitor_socket_of(domain, uri.isEmpty() ? QString("tdx:///system") : uri);
}

}  // namespace

Result<std::filesystem::path> monitor_socket_of(const QString& domain, const QString& uri) {
  if (domain.isEmpty() || domain.contains('/'))
    return fail(Error::Code::InvalidArgument, "'{}' is no domain's name", domain.toStdString());
  const auto directory = TRY(run_directory(uri));
  return directory / "tdx" / (domain.toStdString() + ".monitor");
}

void add_monitor_options(CommandLine& line) {
  line.add_option("connect", "URI",
                  "The domain's daemon: tdx:///system (default), tdx:///session, also with ?socket=PATH.");
  line.add_option("run-directory", "DIR",
                  "Where the daemon keeps its monitors' sockets, instead of --connect.");
  line.add_option("monitor", "SOCKET", "Control socket of a monitor, instead of DOMAIN.");
}

Result<ControlClient> connect_monitor(const CommandLine& line) {
  constexpr std::chrono::seconds kPatience{10};
  const auto socket = TRY(socket_of(line));
  auto client = ControlClient::connect(socket, kPatience);
  if (!client && client.error().code() == Error::Code::NotFound)
    return fail(Error::Code::NotFound,
                "no TD runs behind '{}': check the domain's name and that it is running", socket.string());
  return client;
}

}  // namespace virttdx::tools
