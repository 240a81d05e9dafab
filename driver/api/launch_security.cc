// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainGetLaunchSecurityInfo: what a verifier compares a TD's quote with. libvirt has no names for TDX;
// ours follow its "sev-..." ones.
#include <libvirt/libvirt.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/typed_params.h"

namespace virttdx::driver::api {
namespace {

using InfoReply = Deferred<remote_domain_get_launch_security_info_ret>;

std::string hex(const Measurement& measurement) {
  std::string text;
  for (const std::byte byte : measurement) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::string_view host_words(HostKind kind) {
  return kind == HostKind::Soft ? "software TDX host (emulated, not confidential)" : "KVM";
}

void add_definition(const domain_xml::LaunchSecurity& security, TypedParams& params) {
  // As written in the XML: base64 of the 48 bytes.
  if (security.mr_config_id) params.add_string("tdx-mrconfigid", *security.mr_config_id);
  if (security.mr_owner) params.add_string("tdx-mrowner", *security.mr_owner);
  if (security.mr_owner_config) params.add_string("tdx-mrownerconfig", *security.mr_owner_config);
}

void add_measurements(const MonitorMeasurements& measured, TypedParams& params) {
  params.add_string("tdx-attributes", fmt::format("0x{:x}", measured.attributes));
  params.add_string("tdx-xfam", fmt::format("0x{:x}", measured.xfam));
  params.add_uint("tdx-gpaw", measured.gpaw);
  params.add_string("tdx-mrtd", hex(measured.mrtd));
  if (measured.host_mrtd) params.add_string("tdx-host-mrtd", hex(*measured.host_mrtd));
}

void reply_with_info(const DomainRecord& record, HostKind host, const MonitorMeasurements& measured,
                     const InfoReply& reply) {
  Arena arena;
  TypedParams params(arena);
  params.add_string("tdx-host", host_words(host));
  add_measurements(measured, params);
  if (const auto& security = record.current().launch_security) add_definition(*security, params);
  remote_domain_get_launch_security_info_ret ret{};
  arena.array(ret.params.params_len, ret.params.params_val, params.take());
  reply.succeed(ret);
}

}  // namespace

Answer domain_get_launch_security_info(Session& session,
                                       const remote_domain_get_launch_security_info_args& args,
                                       Deferred<remote_domain_get_launch_security_info_ret> reply) {
  CHECK_FLAGS(args.flags, VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetLaunchSecurityInfo");
  const RecordPtr record = TRY(find_record(session, args.dom));
  session.service().ask_monitor(
      record, control_command::kMeasurements, nlohmann::json::object(),
      [record, kind = session.service().host().kind, reply](Result<ControlReply> answer) {
        if (!answer) return reply.fail(answer.error());
        const auto measured = monitor_measurements_from_json(*answer->result);
        if (!measured) return reply.fail(measured.error());
        reply_with_info(*record, record->live ? record->live->status.host : kind, *measured, reply);
      });
  return {};
}

}  // namespace virttdx::driver::api
