// SPDX-License-Identifier: GPL-2.0-or-later
// auth_unix_rw, auth_unix_ro: whether whoever could open the socket may use it.
#include <libvirt/virterror.h>

#include "api/handlers.h"
#include "support/log.h"

namespace virttdx::driver::api {
namespace {

// Somebody may have to be called to type a password.
constexpr std::chrono::minutes kPatience{5};

WireError refusal_of(PolkitVerdict verdict, const std::string& action) {
  if (verdict == PolkitVerdict::Dismissed)
    return wire_error(VIR_ERR_AUTH_CANCELLED, "user cancelled authentication process");
  if (verdict == PolkitVerdict::NoAgent)
    return wire_error(VIR_ERR_AUTH_UNAVAILABLE,
                      fmt::format("no polkit agent available to authenticate action '{}'", action));
  return wire_error(VIR_ERR_AUTH_FAILED, "access denied by policy");
}

WireError refusal_of(const Error& error) {
  if (error.code() == Error::Code::System) return wire_error(VIR_ERR_DBUS_SERVICE, error.message());
  return wire_error(VIR_ERR_AUTH_UNAVAILABLE, error.message());
}

}  // namespace

Answer auth_list(Session& session, remote_auth_list_ret& ret, Arena& arena) {
  const remote_auth_type type = session.must_authenticate() ? REMOTE_AUTH_POLKIT : REMOTE_AUTH_NONE;
  arena.array(ret.types.types_len, ret.types.types_val, std::vector{type});
  return {};
}

Answer auth_polkit(Session& session, Deferred<remote_auth_polkit_ret> reply) {
  if (!session.must_authenticate())
    return tl::unexpected(
        wire_error(VIR_ERR_AUTH_FAILED, "this connection is not to be authenticated by polkit"));
  const std::string action = session.read_only() ? "org.libvirt.unix.monitor" : "org.libvirt.unix.manage";
  session.context().polkit.ask(
      session.peer(), {.action = action, .details = {}, .may_ask_user = true, .patience = kPatience},
      [weak = session.weak_from_this(), reply, action](const Result<PolkitVerdict>& verdict) {
        const auto asked = weak.lock();
        if (!asked) return;
        const bool allowed = verdict && *verdict == PolkitVerdict::Allowed;
        log::info("process {} of user {}: action '{}' is {}", asked->peer().pid, asked->peer().uid, action,
                  allowed ? "allowed" : "not allowed");
        if (!verdict) return reply.fail(refusal_of(verdict.error()));
        if (!allowed) return reply.fail(refusal_of(*verdict, action));
        asked->authenticated();
        asked->context().client_authenticated();
        reply.succeed({.complete = 1});
      });
  return {};
}

}  // namespace virttdx::driver::api
