// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest's agent does on request: file systems frozen, clock, password, keys.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <QByteArray>
#include <algorithm>
#include <chrono>

#include "api/agent_answer.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/leases.h"

namespace virttdx::driver::api {
namespace {

using nlohmann::json;

constexpr std::int64_t kNanoseconds = 1'000'000'000;

WireError unusable(std::string_view command) {
  return wire_error(VIR_ERR_INTERNAL_ERROR, fmt::format("malformed return value of '{}'", command));
}

// The command's answer is a number of file systems.
template <typename Ret>
void ask_count(Session& session, const RecordPtr& record, const char* command, json arguments,
               const Deferred<Ret>& reply) {
  ask_agent(session, record, {.name = command, .arguments = std::move(arguments)},
            [reply, command](const WireResult<json>& answer) {
              if (!answer) return reply.fail(answer.error());
              if (!answer->is_number_integer()) return reply.fail(unusable(command));
              reply.succeed({.filesystems = answer->template get<int>()});
            });
}

void ask_nothing(Session& session, const RecordPtr& record, const char* command, json arguments,
                 const Deferred<void>& reply) {
  ask_agent(
      session, record, {.name = command, .arguments = std::move(arguments)},
      [reply](const WireResult<json>& answer) { answer ? reply.succeed() : reply.fail(answer.error()); });
}

json base64(std::string_view text) {
  return QByteArray(text.data(), static_cast<qsizetype>(text.size())).toBase64().toStdString();
}

}  // namespace

Answer domain_fsfreeze(Session& session, const remote_domain_fsfreeze_args& args,
                       Deferred<remote_domain_fsfreeze_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainFSFreeze");
  const RecordPtr record = TRY(find_record(session, args.dom));
  json points = json::array();
  for (u_int i = 0; i < args.mountpoints.mountpoints_len; ++i)
    points.push_back(args.mountpoints.mountpoints_val[i]);
  if (points.empty())
    ask_count(session, record, "guest-fsfreeze-freeze", json::object(), reply);
  else
    ask_count(session, record, "guest-fsfreeze-freeze-list", {{"mountpoints", points}}, reply);
  return {};
}

// The agent thaws everything at once.
Answer domain_fsthaw(Session& session, const remote_domain_fsthaw_args& args,
                     Deferred<remote_domain_fsthaw_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainFSThaw");
  if (args.mountpoints.mountpoints_len != 0)
    return fail(Error::Code::InvalidArgument, "specifying mountpoints is not supported");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_count(session, record, "guest-fsfreeze-thaw", json::object(), reply);
  return {};
}

Answer domain_fstrim(Session& session, const remote_domain_fstrim_args& args, Deferred<void> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainFSTrim");
  if (args.mountPoint != nullptr)
    return tl::unexpected(
        wire_error(VIR_ERR_ARGUMENT_UNSUPPORTED, "Specifying mount point is not supported for now"));
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_nothing(session, record, "guest-fstrim", {{"minimum", args.minimum}}, reply);
  return {};
}

Answer domain_get_time(Session& session, const remote_domain_get_time_args& args,
                       Deferred<remote_domain_get_time_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainGetTime");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_agent(session, record, {.name = "guest-get-time"}, [reply](const WireResult<json>& answer) {
    if (!answer) return reply.fail(answer.error());
    if (!answer->is_number_integer()) return reply.fail(unusable("guest-get-time"));
    const auto time = answer->get<std::int64_t>();
    reply.succeed(
        {.seconds = time / kNanoseconds, .nseconds = static_cast<std::uint32_t>(time % kNanoseconds)});
  });
  return {};
}

Answer domain_set_time(Session& session, const remote_domain_set_time_args& args, Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_TIME_SYNC, "virDomainSetTime");
  const bool from_clock = (args.flags & VIR_DOMAIN_TIME_SYNC) != 0;
  if (!from_clock && (args.seconds < 0 || args.seconds > INT64_MAX / kNanoseconds - 1))
    return fail(Error::Code::InvalidArgument, "Time '{}' is too big for guest agent", args.seconds);
  const json arguments =
      from_clock ? json::object() : json{{"time", args.seconds * kNanoseconds + args.nseconds}};
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_nothing(session, record, "guest-set-time", arguments, reply);
  return {};
}

namespace {

using HostnameReply = Deferred<remote_domain_get_hostname_ret>;

// The first name that a guest gave when it asked for an address.
void find_leased_hostname(Session& session, const RecordPtr& record, const HostnameReply& reply) {
  session.service().host_resources().ask_leases(
      requests_for(interfaces_on_networks(record->live->definition)),
      [reply, name = record->name](const Result<std::vector<DhcpLease>>& leases) {
        if (!leases) return reply.fail(leases.error());
        const auto named =
            std::ranges::find_if(*leases, [](const DhcpLease& lease) { return lease.hostname.has_value(); });
        if (named == leases->end())
          return reply.fail(
              wire_error(VIR_ERR_NO_HOSTNAME, fmt::format("no hostname found for domain {}", name)));
        std::string hostname = *named->hostname;
        reply.succeed({.hostname = hostname.data()});
      });
}

}  // namespace

Answer domain_get_hostname(Session& session, const remote_domain_get_hostname_args& args,
                           HostnameReply reply) {
  constexpr unsigned kLease = VIR_DOMAIN_GET_HOSTNAME_LEASE, kAgent = VIR_DOMAIN_GET_HOSTNAME_AGENT;
  CHECK_FLAGS(args.flags, kLease | kAgent, "virDomainGetHostname");
  if (args.flags == (kLease | kAgent))
    return fail(
        Error::Code::InvalidArgument,
        "Flags 'VIR_DOMAIN_GET_HOSTNAME_LEASE' and 'VIR_DOMAIN_GET_HOSTNAME_AGENT' are mutually exclusive");
  const RecordPtr record = TRY(find_record(session, args.dom));
  if (args.flags == kLease) {
    TRY(check_operation(Operation::Query, record->phase));
    find_leased_hostname(session, record, reply);
    return {};
  }
  ask_agent(session, record, {.name = "guest-get-host-name"},
            [reply](const WireResult<nlohmann::json>& answer) {
              if (!answer) return reply.fail(answer.error());
              auto name = text_of(*answer, "host-name");
              name ? reply.succeed({.hostname = name->data()}) : reply.fail(unusable("guest-get-host-name"));
            });
  return {};
}

Answer domain_set_user_password(Session& session, const remote_domain_set_user_password_args& args,
                                Deferred<void> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_PASSWORD_ENCRYPTED, "virDomainSetUserPassword");
  if (args.user == nullptr || args.password == nullptr)
    return fail(Error::Code::InvalidArgument,
                "user and password in virDomainSetUserPassword must not be NULL");
  const json arguments = {{"crypted", (args.flags & VIR_DOMAIN_PASSWORD_ENCRYPTED) != 0},
                          {"username", *args.user},
                          {"password", base64(*args.password)}};
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_nothing(session, record, "guest-set-user-password", arguments, reply);
  return {};
}

Answer domain_authorized_ssh_keys_get(Session& session,
                                      const remote_domain_authorized_ssh_keys_get_args& args,
                                      Deferred<remote_domain_authorized_ssh_keys_get_ret> reply) {
  CHECK_FLAGS(args.flags, 0, "virDomainAuthorizedSSHKeysGet");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_agent(session, record,
            {.name = "guest-ssh-get-authorized-keys", .arguments = {{"username", args.user}}},
            [reply](const WireResult<json>& answer) {
              if (!answer) return reply.fail(answer.error());
              Arena arena;
              std::vector<remote_nonnull_string> keys;
              for (const auto& key : list_of(*answer, "keys"))
                if (key.is_string()) keys.push_back(arena.text(key.get<std::string>()));
              remote_domain_authorized_ssh_keys_get_ret ret{};
              arena.array(ret.keys.keys_len, ret.keys.keys_val, std::move(keys));
              reply.succeed(ret);
            });
  return {};
}

Answer domain_authorized_ssh_keys_set(Session& session,
                                      const remote_domain_authorized_ssh_keys_set_args& args,
                                      Deferred<void> reply) {
  constexpr unsigned kAppend = VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND;
  constexpr unsigned kRemove = VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE;
  CHECK_FLAGS(args.flags, kAppend | kRemove, "virDomainAuthorizedSSHKeysSet");
  if ((args.flags & kAppend) != 0 && (args.flags & kRemove) != 0)
    return fail(Error::Code::InvalidArgument, "flags APPEND and REMOVE are mutually exclusive");
  json arguments = {{"username", args.user}, {"keys", json::array()}};
  for (u_int i = 0; i < args.keys.keys_len; ++i) arguments["keys"].push_back(args.keys.keys_val[i]);
  const bool remove = (args.flags & kRemove) != 0;
  if (!remove) arguments["reset"] = (args.flags & kAppend) == 0;
  const RecordPtr record = TRY(find_record(session, args.dom));
  ask_nothing(session, record, remove ? "guest-ssh-remove-authorized-keys" : "guest-ssh-add-authorized-keys",
              arguments, reply);
  return {};
}

// Of the run that there is; the next one has libvirt's default again.
Answer domain_agent_set_response_timeout(Session& session,
                                         const remote_domain_agent_set_response_timeout_args& args,
                                         remote_domain_agent_set_response_timeout_ret& ret, Arena&) {
  constexpr std::chrono::seconds kDefault{5};
  CHECK_FLAGS(args.flags, 0, "virDomainAgentSetResponseTimeout");
  if (args.timeout < VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK)
    return fail(Error::Code::InvalidArgument, "guest agent timeout '{}' is less than the minimum '{}'",
                args.timeout, int{VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK});
  const RecordPtr record = TRY(find_record(session, args.dom));
  TRY(check_operation(Operation::Query, record->phase));
  auto& patience = record->live->agent_patience;
  patience = std::chrono::seconds(std::max(args.timeout, 0));
  if (args.timeout == VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK) patience.reset();
  if (args.timeout == VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT) patience = kDefault;
  ret.result = 0;
  return {};
}

}  // namespace virttdx::driver::api
