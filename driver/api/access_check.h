// SPDX-License-Identifier: GPL-2.0-or-later
// access_drivers: what a client's calls and events need is asked of polkit before they are served or sent.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "access/access_question.h"
#include "api/procedures.h"
#include "domain/domain_event.h"
#include "domain/domain_registry.h"

namespace virttdx::driver {

/// What the rules of a procedure ask for these arguments. Rules about a domain ask nothing when there is no
/// such domain: the handler says so.
std::vector<AccessQuestion> questions_for(const ProcedureInfo& procedure, const AccessArguments& arguments);

/// Asks all at once. `done` gets whether everything is allowed; what cannot be asked is not, and is logged.
void ask_all(Polkit& polkit, const Peer& subject, const std::vector<AccessQuestion>& questions,
             std::function<void(bool)> done);

/// `done` gets the uuids of those domains for which the subject has the permission.
using VisibleDomains = std::set<std::string>;
void ask_visible(Polkit& polkit, const Peer& subject, std::string_view permission,
                 const std::vector<RecordPtr>& records, std::function<void(VisibleDomains)> done);

/// Events in their order, each once it is known that the client may hear of its domain.
class EventGate {
 public:
  using Sender = std::function<void(const DomainEvent&)>;
  explicit EventGate(Sender sender) : sender_(std::move(sender)) {}
  EventGate(const EventGate&) = delete;
  EventGate& operator=(const EventGate&) = delete;
  /// False: too many wait already; the client is not to be kept.
  [[nodiscard]] bool add(Polkit& polkit, const Peer& subject, const DomainEvent& event);

 private:
  struct Entry {
    DomainEvent event;
    std::optional<bool> allowed;
  };
  void send_decided();

  Sender sender_;
  std::deque<std::shared_ptr<Entry>> entries_;
  std::shared_ptr<EventGate*> self_ = std::make_shared<EventGate*>(this);
};

}  // namespace virttdx::driver
