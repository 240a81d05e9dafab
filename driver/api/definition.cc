// SPDX-License-Identifier: GPL-2.0-or-later
// Definitions: define, undefine, autostart, XML.
#include <libvirt/libvirt.h>

#include "api/domain_reply.h"
#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"
#include "api/validation.h"
#include "domain_xml/public_form.h"

namespace virttdx::driver::api {
namespace {

// What undefine may be told to remove or keep along: no domain here has any of it.
constexpr unsigned kUndefineFlags =
    VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM |
    VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_TPM |
    VIR_DOMAIN_UNDEFINE_KEEP_TPM;

// What of virDomainGetXMLDesc shows secrets.
constexpr unsigned kSecretFlags = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE;

Answer check_exclusive(unsigned flags, unsigned one, unsigned other, std::string_view what) {
  if ((flags & one) == 0 || (flags & other) == 0) return {};
  return fail(Error::Code::WrongState, "cannot both keep and delete {}", what);
}

// What only a run has: a channel without a socket of its own got one in the run's directory.
domain_xml::Domain without_run(domain_xml::Domain domain) {
  for (auto& channel : domain.devices.channels) {
    const auto given = fmt::format("/{}.sockets/{}", domain.name, channel.target_name.value_or(""));
    if (channel.source_path && channel.source_path->ends_with(given))
      channel.source_path = channel.source_mode = std::nullopt;
  }
  return domain;
}

std::string format(const domain_xml::Domain& domain, bool inactive, bool secure) {
  return secure ? domain_xml::format_domain(domain, {.inactive = inactive})
                : domain_xml::format_without_secrets(domain, {.inactive = inactive});
}

// Where the inactive XML is asked for: of the stored definition, or the live one without what only a run has.
// A migratable one is of what runs, and shows secrets, as QEMU's driver writes it.
std::string xml_of(const DomainRecord& record, unsigned flags) {
  const bool secure = (flags & kSecretFlags) != 0;
  if (!record.live || ((flags & VIR_DOMAIN_XML_INACTIVE) != 0 && record.definition))
    return format(*record.definition, true, secure);
  if ((flags & (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_MIGRATABLE)) != 0)
    return format(without_run(record.live->definition), true, secure);
  return format(record.live->definition, false, secure);
}

}  // namespace

Answer domain_define_xml(Session& session, const remote_domain_define_xml_args& args,
                         Deferred<remote_domain_define_xml_ret> reply) {
  session.service().define(args.xml, finish_with_domain(reply));
  return {};
}

Answer domain_define_xml_flags(Session& session, const remote_domain_define_xml_flags_args& args,
                               Deferred<remote_domain_define_xml_flags_ret> reply) {
  CHECK_FLAGS(args.flags, VIR_DOMAIN_DEFINE_VALIDATE, "virDomainDefineXMLFlags");
  const bool validate = (args.flags & VIR_DOMAIN_DEFINE_VALIDATE) != 0;
  if (auto valid = validate_domain_xml(args.xml, validate); !valid) return valid;
  session.service().define(args.xml, finish_with_domain(reply));
  return {};
}

Answer domain_undefine(Session& session, const remote_domain_undefine_args& args, Deferred<void> reply) {
  session.service().undefine(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

Answer domain_undefine_flags(Session& session, const remote_domain_undefine_flags_args& args,
                             Deferred<void> reply) {
  CHECK_FLAGS(args.flags, kUndefineFlags, "virDomainUndefineFlags");
  for (const auto& checked :
       {check_exclusive(args.flags, VIR_DOMAIN_UNDEFINE_NVRAM, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, "nvram"),
        check_exclusive(args.flags, VIR_DOMAIN_UNDEFINE_TPM, VIR_DOMAIN_UNDEFINE_KEEP_TPM, "TPM")})
    if (!checked) return checked;
  session.service().undefine(TRY(find_record(session, args.dom)), finish(reply));
  return {};
}

Answer domain_get_autostart(Session& session, const remote_domain_get_autostart_args& args,
                            remote_domain_get_autostart_ret& ret, Arena&) {
  ret.autostart = TRY(find_record(session, args.dom))->autostart ? 1 : 0;
  return {};
}

Answer domain_set_autostart(Session& session, const remote_domain_set_autostart_args& args) {
  TRY(session.service().set_autostart(TRY(find_record(session, args.dom)), args.autostart != 0));
  return {};
}

Answer domain_get_autostart_once(Session& session, const remote_domain_get_autostart_once_args& args,
                                 remote_domain_get_autostart_once_ret& ret, Arena&) {
  ret.autostart = TRY(find_record(session, args.dom))->autostart_once ? 1 : 0;
  return {};
}

Answer domain_set_autostart_once(Session& session, const remote_domain_set_autostart_once_args& args) {
  TRY(session.service().set_autostart_once(TRY(find_record(session, args.dom)), args.autostart != 0));
  return {};
}

Answer domain_get_xml_desc(Session& session, const remote_domain_get_xml_desc_args& args,
                           remote_domain_get_xml_desc_ret& ret, Arena& arena) {
  CHECK_FLAGS(
      args.flags,
      VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_UPDATE_CPU | VIR_DOMAIN_XML_MIGRATABLE,
      "virDomainGetXMLDesc");
  if (session.read_only() && (args.flags & kSecretFlags) != 0)
    return fail(Error::Code::PermissionDenied, "virDomainGetXMLDesc with secure flag");
  const RecordPtr record = TRY(find_record(session, args.dom));
  ret.xml = arena.text(xml_of(*record, args.flags));
  return {};
}

Answer domain_has_managed_save_image(Session& session, const remote_domain_has_managed_save_image_args& args,
                                     remote_domain_has_managed_save_image_ret& ret, Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainHasManagedSaveImage");
  TRY(find_record(session, args.dom));
  // A TD's memory cannot be saved.
  ret.result = 0;
  return {};
}

}  // namespace virttdx::driver::api
