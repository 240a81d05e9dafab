// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainOpenChannel: a client in the place of the program at the host's end of a channel.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "rpc/peer.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::CharacterDevice;

// By alias or by the name that the guest sees; the first one when none is named.
Result<const CharacterDevice*> find_channel(const domain_xml::Domain& domain, const remote_string name) {
  for (const auto& channel : domain.devices.channels)
    if (name == nullptr || channel.alias == *name || channel.target_name == *name) return &channel;
  return fail(Error::Code::Internal, "cannot find channel {}", name == nullptr ? "(null)" : shortened(*name));
}

Result<UniqueFd> connect_channel(const CharacterDevice& channel) {
  if (channel.type != "unix" || channel.source_mode == "connect" || !channel.source_path)
    return fail(Error::Code::Internal, "channel {} is not using a UNIX socket", channel.alias.value_or(""));
  return connect_unix(*channel.source_path);
}

// A channel has one stream; `force` ends the older one.
Result<std::shared_ptr<StreamClaim>> claim_channel(LiveDomain& live, const CharacterDevice& channel,
                                                   bool force) {
  auto& holder = live.channel_streams[channel.alias.value_or("")];
  if (const auto older = holder.lock(); older && older->revoke) {
    if (!force) return fail(Error::Code::Busy, "Active channel stream exists for this domain");
    // A copy: the function empties the one that it is called by.
    const auto revoke = older->revoke;
    revoke();
  }
  auto claim = std::make_shared<StreamClaim>();
  holder = claim;
  return claim;
}

}  // namespace

Answer domain_open_channel(Session& session, const remote_domain_open_channel_args& args,
                           Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_CHANNEL_FORCE, "virDomainOpenChannel");
  if (!session.may_open_stream())
    return fail(Error::Code::Busy, "this connection has {} streams already; finish one", kStreamsMaximum);
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::OpenConsole, record->phase));
  const auto& channel = *TRY(find_channel(record->live->definition, args.name));
  auto claim = TRY(claim_channel(*record->live, channel, (args.flags & VIR_DOMAIN_CHANNEL_FORCE) != 0));
  auto socket = TRY(connect_channel(channel));
  // The reply first: packets of the stream may follow it at once.
  reply.succeed();
  session.add_stream(reply.call().serial,
                     std::make_unique<ConsoleStream>(session.shared_client(), reply.call(), std::move(socket),
                                                     std::move(claim)));
  return {};
}

}  // namespace virttdx::driver::api
