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

}  // namespace

Result<std::filesystem::path> monitor_socket_of(const QString& domain, const QString& uri) {
  if (domain.isEmpty() || domain.contains('/'))
    return fail(Error::Code::InvalidArgument, "'{}' is no domain's name", domain.toStdString());
  return TRY(run_directory(uri)) / "tdx" / (domain.toStdString() + ".monitor");
}

}  // namespace virttdx::tools
