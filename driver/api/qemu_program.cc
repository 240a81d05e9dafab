// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/qemu_program.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>

#include "api/agent_answer.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "schemas/qemu_protocol.h"
#include "schemas/qemu_protocol_traits.h"

namespace virttdx::driver {
namespace {

using nlohmann::json;

constexpr std::string_view kNoQemu = "a TD's monitor is virttdx-vmm, which has no QEMU monitor protocol";
constexpr std::string_view kNoAttach = "a TD cannot be taken over: it belongs to the process that built it";
// libvirt's, for VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT.
constexpr std::chrono::seconds kDefaultPatience{5};

Result<GuestAgentCall::Command> command_of(const qemu_domain_agent_command_args& args) {
  const std::string_view text = args.cmd;
  const json parsed = json::parse(text.begin(), text.end(), nullptr, false);
  const auto name = parsed.is_object() ? api::text_of(parsed, "execute") : std::nullopt;
  if (!name)
    return fail(Error::Code::Internal, "the agent command is no JSON object with a text \"execute\": {}",
                text.substr(0, 256));
  GuestAgentCall::Command command;
  command.name = *name;
  if (const auto arguments = parsed.find("arguments"); arguments != parsed.end())
    command.arguments = *arguments;
  if (args.timeout == VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT) command.patience = kDefaultPatience;
  if (args.timeout >= 0) command.patience = std::chrono::seconds(args.timeout);
  return command;
}

void reply_with(const Deferred<qemu_domain_agent_command_ret>& reply, const json& answer) {
  Arena arena;
  qemu_domain_agent_command_ret ret{};
  ret.result =
      arena.optional_text(json{{"return", answer}}.dump(-1, ' ', false, json::error_handler_t::replace));
  reply.succeed(ret);
}

WireResult<> agent_command(Session& session, const qemu_domain_agent_command_args& args,
                           Deferred<qemu_domain_agent_command_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainQemuAgentCommand");
  if (args.timeout < VIR_DOMAIN_QEMU_AGENT_COMMAND_MIN)
    return fail(Error::Code::InvalidArgument, "guest agent timeout '{}' is less than the minimum '{}'",
                args.timeout, int{VIR_DOMAIN_QEMU_AGENT_COMMAND_MIN});
  const RecordPtr record = TRY(api::find_record(session, args.dom));
  const auto command = TRY(command_of(args));
  api::ask_agent(session, record, command, [reply](const WireResult<json>& answer) {
    answer ? reply_with(reply, *answer) : reply.fail(answer.error());
  });
  return {};
}

// Of DOMAIN_MONITOR_COMMAND and DOMAIN_MONITOR_COMMAND_WITH_FILES.
template <typename Args>
WireResult<> monitor_command(Session& session, const Args& args) {
  TRY(api::find_record(session, args.dom));
  return tl::unexpected(wire_error(VIR_ERR_OPERATION_UNSUPPORTED, std::string(kNoQemu)));
}

WireResult<> monitor_events(Session&) {
  return tl::unexpected(wire_error(VIR_ERR_OPERATION_UNSUPPORTED, std::string(kNoQemu)));
}

WireResult<> attach(Session&) {
  return tl::unexpected(wire_error(VIR_ERR_OPERATION_UNSUPPORTED, std::string(kNoAttach)));
}

constexpr ProcedureInfo row(int number, std::string_view name, std::string_view function,
                            std::array<AccessRule, 4> access) {
  return {number, name, ReadOnlyRule::Forbidden, function, ObjectClass::Hypervisor, access, ""};
}

constexpr AccessRule kDomainWrite{AccessObject::Domain, "write", AccessWhen::Always, 0};
constexpr AccessRule kConnectWrite{AccessObject::Connect, "write", AccessWhen::Always, 0};

// @acl as in libvirt's qemu_protocol.x.
constexpr auto kQemuProcedures = std::to_array<QemuProcedure>(
    {{row(QEMU_PROC_DOMAIN_MONITOR_COMMAND, "DOMAIN_MONITOR_COMMAND", "virDomainQemuMonitorCommand",
          {kDomainWrite}),
      serve<&monitor_command<qemu_domain_monitor_command_args>>, kNoQemu},
     {row(QEMU_PROC_DOMAIN_ATTACH, "DOMAIN_ATTACH", "virDomainQemuAttach", {kConnectWrite}), serve<&attach>,
      kNoAttach},
     {row(QEMU_PROC_DOMAIN_AGENT_COMMAND, "DOMAIN_AGENT_COMMAND", "virDomainQemuAgentCommand",
          {kDomainWrite}),
      serve<&agent_command>, ""},
     {row(QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER, "CONNECT_DOMAIN_MONITOR_EVENT_REGISTER",
          "virConnectDomainQemuMonitorEventRegister", {kConnectWrite}),
      serve<&monitor_events>, kNoQemu},
     {row(QEMU_PROC_CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER, "CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER",
          "virConnectDomainQemuMonitorEventDeregister", {kConnectWrite}),
      serve<&monitor_events>, kNoQemu},
     {row(QEMU_PROC_DOMAIN_MONITOR_COMMAND_WITH_FILES, "DOMAIN_MONITOR_COMMAND_WITH_FILES",
          "virDomainQemuMonitorCommandWithFiles", {kDomainWrite}),
      serve<&monitor_command<qemu_domain_monitor_command_with_files_args>>, kNoQemu}});

}  // namespace

std::span<const QemuProcedure> all_qemu_procedures() { return kQemuProcedures; }

const ProcedureInfo* find_qemu_procedure(int number) {
  const auto* const found = std::ranges::find_if(
      kQemuProcedures, [number](const auto& procedure) { return procedure.info.number == number; });
  return found == kQemuProcedures.end() ? nullptr : &found->info;
}

const Served* find_qemu_served(const ProcedureInfo& procedure) {
  for (const auto& candidate : kQemuProcedures)
    if (&candidate.info == &procedure) return &candidate.served;
  return nullptr;
}

}  // namespace virttdx::driver
