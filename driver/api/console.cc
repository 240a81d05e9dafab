// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainOpenConsole: one stream a console.
#include <libvirt/libvirt.h>

#include "api/find_device.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::CharacterDevice;

// The device with this alias; the first console, else the first serial port, when none is named. A console
// that is no port of a virtio console is another name of the first serial port.
Result<const CharacterDevice*> find_console(const domain_xml::Devices& devices, const remote_string name) {
  for (const auto& console : devices.consoles) {
    if (console.target_type == "virtio" && (name == nullptr || console.alias == *name)) return &console;
    if (name == nullptr && !devices.serials.empty()) return &devices.serials.front();
  }
  for (const auto& serial : devices.serials)
    if (name == nullptr || serial.alias == *name) return &serial;
  if (name == nullptr) return fail(Error::Code::Internal, "cannot find default console device");
  return fail(Error::Code::Internal, "cannot find character device {}", shortened(*name));
}

// The monitor knows serial ports by number, ports of virtio consoles by their alias.
nlohmann::json attach_arguments(const CharacterDevice& console, bool force) {
  if (console.target_type == "virtio") return {{"device", console.alias.value_or("")}, {"force", force}};
  return {{"port", console.target_port.value_or(0)}, {"force", force}};
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
  const auto* console = TRY(find_console(record->live->definition.devices, args.dev_name));
  const auto arguments = attach_arguments(*console, (args.flags & VIR_DOMAIN_CONSOLE_FORCE) != 0);
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
