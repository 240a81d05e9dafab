// SPDX-License-Identifier: GPL-2.0-or-later
// Who a connection is used for, when a proxy of libvirt (virtproxyd) speaks for its own clients.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <unistd.h>

#include <array>

#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"
#include "support/log.h"

namespace virttdx::driver::api {
namespace {

using Known = ParamsRead::Known;
constexpr std::array kIdentityParams = {
    Known{VIR_CONNECT_IDENTITY_USER_NAME, VIR_TYPED_PARAM_STRING},
    Known{VIR_CONNECT_IDENTITY_UNIX_USER_ID, VIR_TYPED_PARAM_ULLONG},
    Known{VIR_CONNECT_IDENTITY_GROUP_NAME, VIR_TYPED_PARAM_STRING},
    Known{VIR_CONNECT_IDENTITY_UNIX_GROUP_ID, VIR_TYPED_PARAM_ULLONG},
    Known{VIR_CONNECT_IDENTITY_PROCESS_ID, VIR_TYPED_PARAM_LLONG},
    Known{VIR_CONNECT_IDENTITY_PROCESS_TIME, VIR_TYPED_PARAM_ULLONG},
    Known{VIR_CONNECT_IDENTITY_SASL_USER_NAME, VIR_TYPED_PARAM_STRING},
    Known{VIR_CONNECT_IDENTITY_X509_DISTINGUISHED_NAME, VIR_TYPED_PARAM_STRING},
    Known{VIR_CONNECT_IDENTITY_SELINUX_CONTEXT, VIR_TYPED_PARAM_STRING}};

}  // namespace

// Told on, with the calls that other daemons serve; only the daemon's own user may speak for others.
Answer connect_set_identity(Session& session, const remote_connect_set_identity_args& args) {
  CHECK_FLAGS(args.flags, 0, "virConnectSetIdentity");
  const ParamsRead params(args.params.params_val, args.params.params_len);
  CHECK_ANSWER(params.check(kIdentityParams));
  if (session.peer().uid != geteuid())
    return tl::unexpected(
        wire_error(VIR_ERR_ACCESS_DENIED, "only the daemon's own user may set an identity"));
  Peer identity = session.peer();
  if (const auto user = params.string(VIR_CONNECT_IDENTITY_USER_NAME)) identity.user = *user;
  if (const auto group = params.string(VIR_CONNECT_IDENTITY_GROUP_NAME)) identity.group = *group;
  if (const auto uid = params.ullong(VIR_CONNECT_IDENTITY_UNIX_USER_ID))
    identity.uid = static_cast<uid_t>(*uid);
  if (const auto gid = params.ullong(VIR_CONNECT_IDENTITY_UNIX_GROUP_ID))
    identity.gid = static_cast<gid_t>(*gid);
  if (const auto pid = params.llong(VIR_CONNECT_IDENTITY_PROCESS_ID)) identity.pid = static_cast<pid_t>(*pid);
  if (const auto start = params.ullong(VIR_CONNECT_IDENTITY_PROCESS_TIME)) identity.process_start = *start;
  log::debug("client {}: speaks for user '{}'", session.client().fd(), identity.user);
  session.set_identity(std::move(identity));
  return {};
}

}  // namespace virttdx::driver::api
