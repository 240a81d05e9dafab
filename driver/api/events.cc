// SPDX-License-Identifier: GPL-2.0-or-later
// Domain events by callback id.
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

}  // namespace virttdx::driver::api
