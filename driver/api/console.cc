// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainOpenConsole: one stream a domain.
#include <libvirt/libvirt.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

// The port of the device with this alias; the first one when none is named.
Result<std::uint32_t> port_of(const domain_xml::Domain& domain, const remote_string device) {
  const auto& devices = domain.devices;
  if (device == nullptr) {
    if (devices.serials.empty() && devices.consoles.empty())
      return fail(Error::Code::Internal, "cannot find default console device");
    return devices.serials.empty() ? 0 : devices.serials.front().target_port.value_or(0);
  }
  for (const auto* list : {&devices.serials, &devices.consoles})
    for (const auto& candidate : *list)
      if (candidate.alias == *device) return candidate.target_port.value_or(0);
  return fail(Error::Code::Internal, "cannot find character device {}", *device);
}

// As libvirt's drivers word it.
Error refusal(const Error& error) {
  if (error.code() != Error::Code::Busy) return error;
  return {Error::Code::Busy, "Active console session exists for this domain"};
}

// The reply first: packets of the stream may follow it at once.
void hand_over(Session& session, const Deferred<void>& reply, UniqueFd console) {
  reply.succeed();
  session.add_stream(reply.call().serial, std::make_unique<ConsoleStream>(session.shared_client(),
                                                                          reply.call(), std::move(console)));
}

}  // namespace

Answer domain_open_console(Session& session, const remote_domain_open_console_args& args,
                           Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE, "virDomainOpenConsole");
  if (!session.may_open_stream())
    return fail(Error::Code::Busy, "this connection has {} streams already; finish one", kStreamsMaximum);
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::OpenConsole, record->phase));
  const nlohmann::json arguments = {{"port", TRY(port_of(record->live->definition, args.dev_name))},
                                    {"force", (args.flags & VIR_DOMAIN_CONSOLE_FORCE) != 0}};
  session.service().ask_monitor(
      record, control_command::kConsoleAttach, arguments,
      [weak = session.weak_from_this(), reply](Result<ControlReply> answer) {
        const auto alive = weak.lock();
        if (!answer) return reply.fail(refusal(answer.error()));
        if (!answer->fd) return reply.fail(Error(Error::Code::Internal, "the monitor passed no console"));
        if (alive) hand_over(*alive, reply, std::move(answer->fd));
      });
  return {};
}

}  // namespace virttdx::driver::api
