// SPDX-License-Identifier: GPL-2.0-or-later
// Opening, and what a connection says of itself.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <array>

#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

// libvirt's internal VIR_DRV_FEATURE_* that this daemon has.
constexpr int kFeatureTypedParamString = 9;
constexpr int kFeatureKeepalive = 10;
constexpr int kFeatureRemoteEventCallback = 14;
constexpr int kFeatureRemoteCloseCallback = 15;
constexpr std::array kFeatures = {kFeatureTypedParamString, kFeatureKeepalive, kFeatureRemoteEventCallback,
                                  kFeatureRemoteCloseCallback};

// "1.2.3" as libvirt counts versions: major * 1,000,000 + minor * 1,000 + release.
constexpr std::uint64_t version_number(std::string_view text) {
  std::uint64_t number = 0, part = 0;
  for (const char c : text) {
    if (c == '.') {
      number = (number + part) * 1000;
      part = 0;
    } else {
      part = part * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }
  return number + part;
}
static_assert(version_number("9.0.0") == 9'000'000 && version_number("0.1.2") == 1'002);

// The path says which of the two daemons is meant; the client found this one by it.
bool is_our_uri(std::string_view uri) {
  for (const std::string_view ours : {"tdx:///system", "tdx:///session", "tdx:///", "tdx:"})
    if (uri == ours) return true;
  return false;
}

}  // namespace

Answer connect_supports_feature(Session& session, const remote_connect_supports_feature_args& args,
                                remote_connect_supports_feature_ret& ret, Arena&) {
  ret.supported = std::count(kFeatures.begin(), kFeatures.end(), args.feature) > 0 ? 1 : 0;
  if (args.feature == kFeatureKeepalive) session.client().start_keepalive();
  return {};
}

Answer connect_open(Session& session, const remote_connect_open_args& args) {
  // Other bits are the client library's own (bit 2: it may start a session daemon); libvirt's servers pass
  // over them.
  if (!session.uri.empty()) return fail(Error::Code::Internal, "connection already open");
  const std::string_view uri = args.name == nullptr ? "tdx:///system" : *args.name;
  if (!is_our_uri(uri))
    return fail(Error::Code::InvalidArgument, "unexpected URI '{}', try tdx:///system or tdx:///session",
                uri.substr(0, 256));
  session.uri = uri;
  if ((args.flags & VIR_CONNECT_RO) != 0) session.make_read_only();
  return {};
}

Answer connect_close(Session& session) {
  session.events().clear();
  session.uri.clear();
  return {};
}

// The daemon has no connection of its own that could close before the client's does: nothing is ever sent.
Answer connect_register_close_callback(Session&) { return {}; }
Answer connect_unregister_close_callback(Session&) { return {}; }

Answer connect_get_uri(Session& session, remote_connect_get_uri_ret& ret, Arena& arena) {
  ret.uri = arena.text(session.uri);
  return {};
}

Answer connect_get_type(Session& session, remote_connect_get_type_ret& ret, Arena& arena) {
  ret.type = arena.text(session.service().host().type.value_or("TDX"));
  return {};
}

Answer connect_get_version(Session& session, remote_connect_get_version_ret& ret, Arena&) {
  ret.hv_ver = session.service().host().version.value_or(version_number(VIRTTDX_VERSION));
  return {};
}

Answer connect_get_lib_version(Session&, remote_connect_get_lib_version_ret& ret, Arena&) {
  ret.lib_ver = LIBVIR_VERSION_NUMBER;
  return {};
}

Answer connect_get_hostname(Session& session, Deferred<remote_connect_get_hostname_ret> reply) {
  session.context().host_name.ask([reply](const Result<std::string>& name) {
    if (!name) return reply.fail(name.error());
    std::string text = *name;
    reply.succeed({.hostname = text.data()});
  });
  return {};
}

Answer connect_is_secure(Session&, remote_connect_is_secure_ret& ret, Arena&) {
  // A Unix socket: nobody listens in between.
  ret.secure = 1;
  return {};
}

}  // namespace virttdx::driver::api
