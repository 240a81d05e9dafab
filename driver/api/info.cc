// SPDX-License-Identifier: GPL-2.0-or-later
// State and properties of one domain.
#include <libvirt/libvirt.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

constexpr unsigned kMessageFlags = VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING;

}  // namespace

Answer domain_get_info(Session& session, const remote_domain_get_info_args& args,
                       remote_domain_get_info_ret& ret, Arena&) {
  const RecordPtr record = TRY(find_record(session, args.dom));
  const auto& domain = record->current();
  ret.state = static_cast<u_char>(libvirt_state(record->phase));
  ret.maxMem = domain.memory_kib;
  ret.memory = domain.current_memory_kib.value_or(domain.memory_kib);
  ret.nrVirtCpu = domain.vcpus;
  ret.cpuTime = record->live ? cpu_time_ns(record->live->process) : 0;
  return {};
}

Answer domain_get_state(Session& session, const remote_domain_get_state_args& args,
                        remote_domain_get_state_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetState");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ret.state = libvirt_state(record->phase);
  ret.reason = record->reason;
  return {};
}

Answer domain_is_active(Session& session, const remote_domain_is_active_args& args,
                        remote_domain_is_active_ret& ret, Arena&) {
  ret.active = TRY(find_record(session, args.dom))->active() ? 1 : 0;
  return {};
}

Answer domain_is_persistent(Session& session, const remote_domain_is_persistent_args& args,
                            remote_domain_is_persistent_ret& ret, Arena&) {
  ret.persistent = TRY(find_record(session, args.dom))->persistent() ? 1 : 0;
  return {};
}

Answer domain_is_updated(Session& session, const remote_domain_is_updated_args& args,
                         remote_domain_is_updated_ret& ret, Arena&) {
  const RecordPtr record = TRY(find_record(session, args.dom));
  ret.updated = record->live && record->live->changed ? 1 : 0;
  return {};
}

Answer domain_get_os_type(Session& session, const remote_domain_get_os_type_args& args,
                          remote_domain_get_os_type_ret& ret, Arena& arena) {
  TRY(find_record(session, args.dom));
  ret.type = arena.text("hvm");
  return {};
}

Answer domain_get_max_memory(Session& session, const remote_domain_get_max_memory_args& args,
                             remote_domain_get_max_memory_ret& ret, Arena&) {
  ret.memory = TRY(find_record(session, args.dom))->current().memory_kib;
  return {};
}

// libvirt's drivers answer one byte, the end of an empty string, where no label is.
Answer domain_get_security_label(Session& session, const remote_domain_get_security_label_args& args,
                                 remote_domain_get_security_label_ret& ret, Arena& arena) {
  TRY(find_record(session, args.dom));
  arena.array(ret.label.label_len, ret.label.label_val, std::vector<char>{'\0'});
  return {};
}

// No security driver confines monitors: there is no label to list.
Answer domain_get_security_label_list(Session& session,
                                      const remote_domain_get_security_label_list_args& args,
                                      remote_domain_get_security_label_list_ret&, Arena&) {
  TRY(find_record(session, args.dom));
  return {};
}

Answer domain_get_messages(Session& session, const remote_domain_get_messages_args& args,
                           remote_domain_get_messages_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kMessageFlags, "virDomainGetMessages");
  const RecordPtr record = TRY(find_record(session, args.dom));
  // All of them are taints; none is a deprecation.
  if (args.flags == VIR_DOMAIN_MESSAGE_DEPRECATION) return {};
  std::vector<remote_nonnull_string> messages;
  for (const auto& message : record->live ? record->live->messages : record->definition_messages)
    messages.push_back(arena.text(message));
  arena.array(ret.msgs.msgs_len, ret.msgs.msgs_val, std::move(messages));
  return {};
}

}  // namespace virttdx::driver::api
