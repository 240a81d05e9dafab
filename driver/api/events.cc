// SPDX-License-Identifier: GPL-2.0-or-later
// Domain events: by callback id, and by the older calls without one.
#include <libvirt/libvirt.h>

#include "api/find_record.h"
#include "api/handlers.h"

namespace virttdx::driver::api {

Answer connect_domain_event_callback_register_any(
    Session& session, const remote_connect_domain_event_callback_register_any_args& args,
    remote_connect_domain_event_callback_register_any_ret& ret, Arena&) {
  std::optional<std::string> uuid;
  if (args.dom != nullptr) uuid = TRY(find_record(session, *args.dom))->uuid;
  ret.callbackID = TRY(session.events().add(args.eventID, std::move(uuid)));
  return {};
}

Answer connect_domain_event_callback_deregister_any(
    Session& session, const remote_connect_domain_event_callback_deregister_any_args& args) {
  TRY(session.events().remove(args.callbackID));
  return {};
}

Answer connect_domain_event_register(Session& session, remote_connect_domain_event_register_ret& ret,
                                     Arena&) {
  TRY(session.events().add_legacy(VIR_DOMAIN_EVENT_ID_LIFECYCLE));
  ret.cb_registered = 1;
  return {};
}

Answer connect_domain_event_deregister(Session& session, remote_connect_domain_event_deregister_ret& ret,
                                       Arena&) {
  TRY(session.events().remove_legacy(VIR_DOMAIN_EVENT_ID_LIFECYCLE));
  ret.cb_registered = 0;
  return {};
}

Answer connect_domain_event_register_any(Session& session,
                                         const remote_connect_domain_event_register_any_args& args) {
  TRY(session.events().add_legacy(args.eventID));
  return {};
}

Answer connect_domain_event_deregister_any(Session& session,
                                           const remote_connect_domain_event_deregister_any_args& args) {
  TRY(session.events().remove_legacy(args.eventID));
  return {};
}

}  // namespace virttdx::driver::api
