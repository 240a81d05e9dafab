// SPDX-License-Identifier: GPL-2.0-or-later
// What starts, stops and pauses domains. Each call is answered when it has happened.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <initializer_list>

#include "api/agent_answer.h"
#include "api/domain_reply.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/validation.h"
#include "domain/agent_channel.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::LifecycleAction;

constexpr unsigned kPowerModes = VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN | VIR_DOMAIN_SHUTDOWN_GUEST_AGENT;
constexpr unsigned kRebootModes = VIR_DOMAIN_REBOOT_ACPI_POWER_BTN | VIR_DOMAIN_REBOOT_GUEST_AGENT;
static_assert(int{VIR_DOMAIN_SHUTDOWN_GUEST_AGENT} == int{VIR_DOMAIN_REBOOT_GUEST_AGENT});

// There is no save image that could be loaded past the cache, or not at all; nor has a TD's firmware
// variables that outlive its run.
constexpr unsigned kStartFlags = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY |
                                 VIR_DOMAIN_START_BYPASS_CACHE | VIR_DOMAIN_START_FORCE_BOOT |
                                 VIR_DOMAIN_START_RESET_NVRAM;
constexpr unsigned kCreateFlags = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY |
                                  VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_RESET_NVRAM;

StartOptions start_options(unsigned flags) { return {.paused = (flags & VIR_DOMAIN_START_PAUSED) != 0}; }

// To the connection, where the client asks for that.
DomainService::RecordHandler bound(Session& session, unsigned flags, DomainService::RecordHandler done) {
  if ((flags & VIR_DOMAIN_START_AUTODESTROY) == 0) return done;
  return session.context().auto_destroy.bind(session.shared_client(), std::move(done));
}

bool any_of(const std::optional<LifecycleAction>& action, std::initializer_list<LifecycleAction> actions) {
  return action && std::ranges::count(actions, *action) != 0;
}

// The agent answers errors only, and does not know when it has succeeded.
GuestAgentCall::Command agent_shutdown(const char* mode) {
  return {
      .name = "guest-shutdown", .arguments = {{"mode", mode}}, .silence_is_success = std::chrono::seconds(1)};
}

struct Stop {
  void (DomainService::*button)(const RecordPtr&, Completion);
  const char* agent_mode;
  bool end_is_success;  ///< the guest's, while its agent was asked
};

Stop shutdown_of(const DomainRecord& record) {
  const bool restarts =
      any_of(record.current().on_poweroff, {LifecycleAction::Restart, LifecycleAction::RenameRestart});
  return {&DomainService::shutdown, restarts ? "reboot" : "powerdown", true};
}

Stop reboot_of(const DomainRecord& record) {
  const bool ends = any_of(record.current().on_reboot, {LifecycleAction::Destroy, LifecycleAction::Preserve});
  return {&DomainService::reboot, ends ? "powerdown" : "reboot", false};
}

// libvirt's choice: an agent that is there is asked before the power button is pressed, unless the caller
// wants it otherwise. The button follows an agent that fails, unless the agent alone was asked for.
Answer stop_guest(Session& session, const RecordPtr& record, unsigned flags, const Deferred<void>& reply,
                  const Stop& stop) {
  auto* service = &session.service();
  const bool by_agent =
      (flags & VIR_DOMAIN_SHUTDOWN_GUEST_AGENT) != 0 || (flags == 0 && has_connected_agent(*record));
  if (!by_agent) {
    (service->*stop.button)(record, finish(reply));
    return {};
  }
  const bool ran = record->phase == Phase::Running;
  if (ran) service->forget_reboot(record);
  ask_agent(session, record, agent_shutdown(stop.agent_mode),
            [service, record, reply, flags, ran, stop](const WireResult<nlohmann::json>& done) {
              const bool ended = ran && (!record->active() || record->phase == Phase::Stopping);
              if (done || (stop.end_is_success && ended)) return reply.succeed();
              if (flags == VIR_DOMAIN_SHUTDOWN_GUEST_AGENT) return reply.fail(done.error());
              (service->*stop.button)(record, finish(reply));
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
  const auto done = bound(session, args.flags, finish_with_domain(reply));
  session.service().start(record, start_options(args.flags), [done, record](const Result<>& started) {
    done(started ? Result<RecordPtr>(record) : tl::unexpected(started.error()));
  });
  return {};
}

Answer domain_create_xml(Session& session, const remote_domain_create_xml_args& args,
                         Deferred<remote_domain_create_xml_ret> reply) {
  CHECK_FLAGS(args.flags, kCreateFlags, "virDomainCreateXML");
  const bool validate = (args.flags & VIR_DOMAIN_START_VALIDATE) != 0;
  if (auto valid = validate_domain_xml(args.xml_desc, validate); !valid) return valid;
  session.service().create_transient(args.xml_desc, start_options(args.flags),
                                     bound(session, args.flags, finish_with_domain(reply)));
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
  const RecordPtr record = TRY(find_record(session, args.dom));
  return stop_guest(session, record, 0, reply, shutdown_of(*record));
}

Answer domain_shutdown_flags(Session& session, const remote_domain_shutdown_flags_args& args,
                             Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kPowerModes, "virDomainShutdownFlags");
  const RecordPtr record = TRY(find_record(session, args.dom));
  return stop_guest(session, record, args.flags, reply, shutdown_of(*record));
}

Answer domain_reboot(Session& session, const remote_domain_reboot_args& args, Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kRebootModes, "virDomainReboot");
  const RecordPtr record = TRY(find_record(session, args.dom));
  return stop_guest(session, record, args.flags, reply, reboot_of(*record));
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
