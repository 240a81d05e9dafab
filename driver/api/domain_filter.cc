// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/domain_filter.h"

#include <array>
#include <span>

namespace virttdx::driver::api {
namespace {

struct Filter {
  unsigned flag;
  bool (*matches)(const DomainRecord&);
};

bool is_paused(const DomainRecord& record) { return libvirt_state(record.phase) == VIR_DOMAIN_PAUSED; }

// Groups as libvirt has them: any of a group, and all groups. Of what no domain here has (managed save
// images, snapshots, checkpoints) every domain has none.
constexpr std::array kActivity = {
    Filter{VIR_CONNECT_LIST_DOMAINS_ACTIVE, [](const DomainRecord& r) { return r.active(); }},
    Filter{VIR_CONNECT_LIST_DOMAINS_INACTIVE, [](const DomainRecord& r) { return !r.active(); }}};
constexpr std::array kPersistence = {
    Filter{VIR_CONNECT_LIST_DOMAINS_PERSISTENT, [](const DomainRecord& r) { return r.persistent(); }},
    Filter{VIR_CONNECT_LIST_DOMAINS_TRANSIENT, [](const DomainRecord& r) { return !r.persistent(); }}};
constexpr std::array kState = {
    Filter{VIR_CONNECT_LIST_DOMAINS_RUNNING, [](const DomainRecord& r) { return r.phase == Phase::Running; }},
    Filter{VIR_CONNECT_LIST_DOMAINS_PAUSED, is_paused},
    Filter{VIR_CONNECT_LIST_DOMAINS_SHUTOFF, [](const DomainRecord& r) { return !r.active(); }},
    Filter{VIR_CONNECT_LIST_DOMAINS_OTHER,
           [](const DomainRecord& r) { return r.phase == Phase::Stopping || r.phase == Phase::Crashed; }}};
constexpr std::array kAutostart = {
    Filter{VIR_CONNECT_LIST_DOMAINS_AUTOSTART, [](const DomainRecord& r) { return r.autostart; }},
    Filter{VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, [](const DomainRecord& r) { return !r.autostart; }}};
constexpr std::array kManagedSave = {
    Filter{VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, [](const DomainRecord&) { return false; }},
    Filter{VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, [](const DomainRecord&) { return true; }}};
constexpr std::array kSnapshots = {
    Filter{VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, [](const DomainRecord&) { return false; }},
    Filter{VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, [](const DomainRecord&) { return true; }}};
constexpr std::array kCheckpoints = {
    Filter{VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, [](const DomainRecord&) { return false; }},
    Filter{VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, [](const DomainRecord&) { return true; }}};
constexpr std::array<std::span<const Filter>, 7> kGroups = {
    kActivity, kPersistence, kState, kAutostart, kManagedSave, kSnapshots, kCheckpoints};

bool matches_group(const DomainRecord& record, std::span<const Filter> group, unsigned flags) {
  bool asked = false;
  for (const Filter& filter : group) {
    if ((flags & filter.flag) == 0) continue;
    if (filter.matches(record)) return true;
    asked = true;
  }
  return !asked;
}

bool matches(const DomainRecord& record, unsigned flags) {
  for (const auto group : kGroups)
    if (!matches_group(record, group, flags)) return false;
  return true;
}

}  // namespace

std::vector<RecordPtr> select_domains(Session& session, unsigned flags) {
  auto records = session.service().domains().all();
  std::erase_if(records, [&](const RecordPtr& record) {
    return !matches(*record, flags) || !session.may_see(*record);
  });
  return records;
}

}  // namespace virttdx::driver::api
