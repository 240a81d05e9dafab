// SPDX-License-Identifier: GPL-2.0-or-later
#include "forward/identity.h"

#include "api/typed_params.h"

namespace virttdx::driver {

std::string identity_arguments(const Peer& peer) {
  Arena arena;
  api::TypedParams params(arena);
  if (!peer.user.empty()) params.add_string("user-name", peer.user);
  params.add_ullong("unix-user-id", peer.uid);
  if (!peer.group.empty()) params.add_string("group-name", peer.group);
  params.add_ullong("unix-group-id", peer.gid);
  params.add_llong("process-id", peer.pid);
  params.add_ullong("process-time", peer.process_start);
  remote_connect_set_identity_args args{};
  arena.array(args.params.params_len, args.params.params_val, params.take());
  return xdr_encode(args).value_or("");
}

}  // namespace virttdx::driver
