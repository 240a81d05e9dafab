// SPDX-License-Identifier: GPL-2.0-or-later
// What starts, stops and pauses domains. Each call is answered when it has happened.
#include <libvirt/libvirt.h>

#include "api/agent_answer.h"
#include "api/domain_reply.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/validation.h"

namespace virttdx::driver::api {
namespace {

constexpr unsigned kPowerModes = VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_GUEST_AGENT;
constexpr unsigned kRebootModes = VIR_DOMAIN_REBOOT_ACPI_POWER_BTN | VIR_DOMAIN_REBOOT_GUEST_AGENT;
static_assert(int{VIR_DOMAIN_SHUTDOWN_GUEST_AGENT} == int{VIR_DOMAIN_REBOOT_GUEST_AGENT});

// A domain that is destroyed when the client's connection closes, or started from a save image, is not
// offered.
constexpr unsigned kStartFlags =
    VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_BYPASS_CACHE | VIR_DOMAIN_START_FORCE_BOOT;

StartOptions start_options(unsigned flags) { return {.paused = (flags & VIR_DOMAIN_START_PAUSED) != 0}; }

// The agent answers errors only, and does not know when it has succeeded.
GuestAgentCall::Command agent_shutdown(const char* mode) {
  return {
      .name = "guest-shutdown", .arguments = {{"mode", mode}}, .silence_is_success = std::chrono::seconds(1)};
}

// By the power button, or by the agent; asked for both, the button follows an agent that fails.
Answer stop_guest(Session& session, const RecordPtr& record, unsigned flags, const Deferred<void>& reply,
                  void (DomainService::*button)(const RecordPtr&, Completion), const char* mode) {
  if ((flags & VIR_DOMAIN_SHUTDOWN_GUEST_AGENT) == 0) {
    (session.service().*button)(record, finish(reply));
    return {};
  }
  session.service().forget_reboot(record);
  const bool both = (flags & VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) != 0;
  ask_agent(
      session, record, agent_shutdown(mode),
      [service = &session.service(), record, reply, both, button](const WireResult<nlohmann::json>& done) {
        if (done) return reply.succeed();
        both ? (service->*button)(record, finish(reply)) : reply.fail(done.error());
      });
  return {};
}

}  // namespace

Answer domain_create(Session& session, const remote_domain_create_args& args, Deferred<void> reply) {
  session.service().start(TRY(find_record(session, args.dom)), {}, finish(reply));
  return {};
}

Answer domain_create_with_flags(Session& session, const remote_domain_create_with_flags_args& args,
                                Deferred<remote_domain_create_with_flags_ret> reply) {
  CHECK_FLAGS(args.flags, kStartFlags, "virDomainCreateWithFlags");
  const RecordPtr record = TRY(find_record(session, args.dom));
  session.service().start(record, start_options(args.flags), [reply, record](const Result<>& started) {
    started ? reply_with_domain(reply, *record) : reply.fail(started.error());
  });
  return {};
}

Answer domain_create_xml(Session& session, const remote_domain_create_xml_args& args,
                         Deferred<remote_domain_create_xml_ret> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_VALIDATE, "virDomainCreateXML");
  const bool validate = (args.flags & VIR_DOMAIN_START_VALIDATE) != 0;
  if (auto valid = validate_domain_xml(args.xml_desc, validate); !valid) return valid;
  session.service().create_transient(args.xml_desc, start_options(args.flags), finish_with_domain(reply));
  return {};
}

Answer domain_destroy(Session& session, const remote_domain_destroy_args& args, Deferred<void> reply) {
  session.service().destroy(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

// GRACEFUL asks not to kill a guest that does not stop in time; a TD has no such half-way: stopping it is
// final.
Answer domain_destroy_flags(Session& session, const remote_domain_destroy_flags_args& args,
                            Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_DESTROY_GRACEFUL, "virDomainDestroyFlags");
  session.service().destroy(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

Answer domain_shutdown(Session& session, const remote_domain_shutdown_args& args, Deferred<void> reply) {
  session.service().shutdown(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

Answer domain_shutdown_flags(Session& session, const remote_domain_shutdown_flags_args& args,
                             Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kPowerModes, "virDomainShutdownFlags");
  const RecordPtr record = TRY(find_record(session, args.dom));
  return stop_guest(session, record, args.flags, reply, &DomainService::shutdown, "powerdown");
}

Answer domain_reboot(Session& session, const remote_domain_reboot_args& args, Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kRebootModes, "virDomainReboot");
  const RecordPtr record = TRY(find_record(session, args.dom));
  return stop_guest(session, record, args.flags, reply, &DomainService::reboot, "reboot");
}

Answer domain_reset(Session& session, const remote_domain_reset_args& args, Deferred<void> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainReset");
  session.service().reset(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

Answer domain_suspend(Session& session, const remote_domain_suspend_args& args, Deferred<void> reply) {
  session.service().suspend(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

Answer domain_resume(Session& session, const remote_domain_resume_args& args, Deferred<void> reply) {
  session.service().resume(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

}  // namespace virttdx::driver::api
