// SPDX-License-Identifier: GPL-2.0-or-later
// virDomainAttachDevice and its siblings. A TD's devices are part of what was measured and of what its
// monitor has opened before it was confined: what runs keeps them, a definition can be changed.
#include "domain_xml/device_change.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

constexpr unsigned kImpact = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;

Answer device_answer(const Result<>& result) {
  if (result) return {};
  if (result.error().code() == Error::Code::NotFound)
    return tl::unexpected(wire_error(VIR_ERR_DEVICE_MISSING, result.error().message()));
  return tl::unexpected(WireError(result.error()));
}

Result<> refuse_live(std::string_view verb, std::string_view device) {
  return fail(Error::Code::Unsupported,
              "live {} of device '{}' is not supported: a running TD keeps the devices that it was started "
              "with; change its definition (--config)",
              verb, device);
}

struct DeviceChange {
  std::string_view verb;
  Result<> (*change)(domain_xml::Domain&, domain_xml::DeviceElement);
};
constexpr DeviceChange kAttach{"attach", domain_xml::attach_device};
constexpr DeviceChange kUpdate{"update", domain_xml::update_device};
constexpr DeviceChange kDetach{"detach", [](domain_xml::Domain& domain, domain_xml::DeviceElement device) {
                                 return domain_xml::detach_device(domain, device);
                               }};

Result<> change_devices(Session& session, const RecordPtr& record, const Impact& impact,
                        const DomainService::Change& change) {
  const auto defaults = session.service().definition_defaults();
  return session.service().change(record, impact, [&](domain_xml::Domain& domain) -> Result<> {
    TRY(change(domain));
    domain = TRY(domain_xml::complete_definition(std::move(domain), defaults));
    return {};
  });
}

Result<> change_device(Session& session, const remote_nonnull_domain& dom, const char* xml, unsigned flags,
                       const DeviceChange& kind) {
  const RecordPtr record = TRY(find_record(session, dom));
  const Impact impact = TRY(impact_of(*record, flags & kImpact));
  const auto device = TRY(domain_xml::parse_device(xml));
  if (impact.live) return refuse_live(kind.verb, device.name);
  return change_devices(session, record, impact,
                        [&](domain_xml::Domain& domain) { return kind.change(domain, device); });
}

}  // namespace

Answer domain_attach_device(Session& session, const remote_domain_attach_device_args& args) {
  return device_answer(change_device(session, args.dom, args.xml, VIR_DOMAIN_AFFECT_LIVE, kAttach));
}

Answer domain_attach_device_flags(Session& session, const remote_domain_attach_device_flags_args& args) {
  CHECK_FLAGS(args.flags, kImpact, "virDomainAttachDeviceFlags");
  return device_answer(change_device(session, args.dom, args.xml, args.flags, kAttach));
}

Answer domain_detach_device(Session& session, const remote_domain_detach_device_args& args) {
  return device_answer(change_device(session, args.dom, args.xml, VIR_DOMAIN_AFFECT_LIVE, kDetach));
}

Answer domain_detach_device_flags(Session& session, const remote_domain_detach_device_flags_args& args) {
  CHECK_FLAGS(args.flags, kImpact, "virDomainDetachDeviceFlags");
  return device_answer(change_device(session, args.dom, args.xml, args.flags, kDetach));
}

Answer domain_update_device_flags(Session& session, const remote_domain_update_device_flags_args& args) {
  CHECK_FLAGS(args.flags, kImpact | VIR_DOMAIN_DEVICE_MODIFY_FORCE, "virDomainUpdateDeviceFlags");
  return device_answer(change_device(session, args.dom, args.xml, args.flags, kUpdate));
}

Answer domain_detach_device_alias(Session& session, const remote_domain_detach_device_alias_args& args) {
  CHECK_FLAGS(args.flags, kImpact, "virDomainDetachDeviceAlias");
  const RecordPtr record = TRY(find_record(session, args.dom));
  const Impact impact = TRY(impact_of(*record, args.flags));
  const std::string_view alias = args.alias;
  if (impact.live) return device_answer(refuse_live("detach", alias.substr(0, 80)));
  return device_answer(change_devices(session, record, impact, [&](domain_xml::Domain& domain) {
    return domain_xml::detach_device(domain, alias);
  }));
}

}  // namespace virttdx::driver::api
