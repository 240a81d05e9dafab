// SPDX-License-Identifier: GPL-2.0-or-later
// A session under access control: what is asked before a call is answered, and before an event is sent.
#include <libvirt/virterror.h>

#include "api/dispatch.h"
#include "api/qemu_program.h"
#include "api/refusals.h"
#include "api/session.h"
#include "support/log.h"

namespace virttdx::driver {
namespace {

// Not why: whoever is denied learns nothing of the rules.
WireError access_denied() {
  auto error = wire_error(VIR_ERR_ACCESS_DENIED, fmt::format("'{}' denied access", kConnectDriver));
  error.domain = VIR_FROM_ACCESS;
  return error;
}

AccessArguments arguments_of_call(Session& session, const ProcedureInfo& procedure, const Frame& frame) {
  if (const auto* served = find_qemu_served(procedure)) return served->access_arguments(session, frame);
  if (const auto* served = find_served(procedure.number)) return served->access_arguments(session, frame);
  if (const auto* refusal = find_refusal(procedure.number))
    return refusal_arguments(session, frame, *refusal);
  return {};
}

}  // namespace

void Session::authorize(const ProcedureInfo& procedure, const Frame& frame, const ReplyPointer& reply) {
  // What the transport can do is asked before there is a connection that anybody could be denied.
  if (uri.empty() && procedure.number != REMOTE_PROC_CONNECT_OPEN) return answer(procedure, frame, reply);
  const auto questions = questions_for(procedure, arguments_of_call(*this, procedure, frame));
  if (questions.empty()) return find_visible(procedure, frame, reply);
  ask_all(context_.polkit, identity_, questions,
          [weak = weak_from_this(), &procedure, frame, reply](bool allowed) {
            const auto session = weak.lock();
            if (!session) return;
            allowed ? session->find_visible(procedure, frame, reply) : reply->fail(access_denied());
          });
}

void Session::find_visible(const ProcedureInfo& procedure, const Frame& frame, const ReplyPointer& reply) {
  // Events ask for themselves, each when it comes.
  if (procedure.visible.empty() || procedure.name.starts_with("CONNECT_DOMAIN_EVENT_"))
    return answer(procedure, frame, reply);
  ask_visible(context_.polkit, identity_, procedure.visible, service().domains().all(),
              [weak = weak_from_this(), &procedure, frame, reply](VisibleDomains visible) {
                const auto session = weak.lock();
                if (!session) return;
                session->visible_ = std::move(visible);
                session->answer(procedure, frame, reply);
                session->visible_.reset();
              });
}

void Session::emit(const DomainEvent& event) {
  if (!context_.config.access_control) return events_.emit(*client_, event);
  if (!events_.wants(event) || gate_.add(context_.polkit, identity_, event)) return;
  log::warning("client {}: polkit does not answer whether it may hear of domains; closing the connection",
               client_->fd());
  client_->close();
}

}  // namespace virttdx::driver
