// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainSetLifecycleAction: what follows a power-off, a reboot or a crash.
#include <libvirt/libvirt.h>

#include <array>

#include "api/domain_reply.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "domain_xml/live_change.h"

namespace virttdx::driver::api {
namespace {

using domain_xml::CrashAction;
using domain_xml::LifecycleAction;

// In the order of virDomainLifecycleAction.
constexpr std::array kActions = {LifecycleAction::Destroy, LifecycleAction::Restart,
                                 LifecycleAction::RenameRestart, LifecycleAction::Preserve};
constexpr std::array kCrashActions = {CrashAction::Destroy,         CrashAction::Restart,
                                      CrashAction::RenameRestart,   CrashAction::Preserve,
                                      CrashAction::CoredumpDestroy, CrashAction::CoredumpRestart};
static_assert(VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME == 2 && VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE == 3);

Result<> set_action(domain_xml::Domain& domain, unsigned type, unsigned action) {
  const bool crash = type == VIR_DOMAIN_LIFECYCLE_CRASH;
  if (action >= (crash ? kCrashActions.size() : kActions.size()))
    return fail(Error::Code::InvalidArgument, "Lifecycle action {} is not one of event {}", action, type);
  if (type == VIR_DOMAIN_LIFECYCLE_POWEROFF) domain.on_poweroff = kActions.at(action);
  if (type == VIR_DOMAIN_LIFECYCLE_REBOOT) domain.on_reboot = kActions.at(action);
  if (crash) domain.on_crash = kCrashActions.at(action);
  return {};
}

}  // namespace

Answer domain_set_lifecycle_action(Session& session, const remote_domain_set_lifecycle_action_args& args,
                                   Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, "virDomainSetLifecycleAction");
  if (args.type > VIR_DOMAIN_LIFECYCLE_CRASH)
    return fail(Error::Code::InvalidArgument, "Invalid lifecycle type '{}'", args.type);
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags));
  const auto change = [type = args.type, action = args.action](domain_xml::Domain& domain) {
    return set_action(domain, type, action);
  };
  LifecycleActions actions;
  if (impact.live) {
    domain_xml::Domain changed = record->live->definition;
    TRY(change(changed));
    actions = TRY(domain_xml::lifecycle_actions(changed));
  }
  auto& service = session.service();
  service.change_with_monitor(record, impact,
                              {control_command::kSetActions, lifecycle_actions_to_json(actions),
                               "remoteDispatchDomainSetLifecycleAction"},
                              change, finish(reply));
  return {};
}

}  // namespace virttdx::driver::api
