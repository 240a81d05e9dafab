// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/access_arguments.h"

#include <QByteArray>
#include <QString>
#include <QXmlStreamReader>

#include "api/find_record.h"

namespace virttdx::driver {
namespace {

// A child of the root element, read to its end.
void read_child(QXmlStreamReader& reader, AccessDomain& domain) {
  const auto name = reader.name();
  if (name != QLatin1String("name") && name != QLatin1String("uuid")) return reader.skipCurrentElement();
  auto& member = name == QLatin1String("name") ? domain.name : domain.uuid;
  member = reader.readElementText(QXmlStreamReader::SkipChildElements).trimmed().toStdString();
}

}  // namespace

std::optional<AccessDomain> access_domain(const Result<RecordPtr>& record) {
  if (!record) return std::nullopt;
  return AccessDomain{(*record)->name, (*record)->uuid};
}

std::optional<AccessDomain> domain_in_xml(Session& session, std::string_view xml) {
  QXmlStreamReader reader(QByteArray::fromRawData(xml.data(), static_cast<qsizetype>(xml.size())));
  AccessDomain domain;
  reader.readNextStartElement();
  while (reader.readNextStartElement() && (domain.name.empty() || domain.uuid.empty()))
    read_child(reader, domain);
  if (domain.name.empty()) return std::nullopt;
  const auto known = session.service().domains().find_by_name(domain.name);
  if (domain.uuid.empty() && known) domain.uuid = (*known)->uuid;
  return domain;
}

std::optional<AccessDomain> domain_in(Session& session, const remote_nonnull_domain& domain) {
  return access_domain(api::find_record(session, domain));
}
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_lookup_by_id_args& args) {
  return access_domain(session.service().domains().find_by_id(args.id));
}
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_lookup_by_name_args& args) {
  return access_domain(session.service().domains().find_by_name(args.name));
}
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_lookup_by_uuid_args& args) {
  return access_domain(session.service().domains().find_by_uuid(uuid_text(args.uuid)));
}
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_create_xml_args& args) {
  return domain_in_xml(session, args.xml_desc);
}
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_define_xml_args& args) {
  return domain_in_xml(session, args.xml);
}
std::optional<AccessDomain> domain_in(Session& session, const remote_domain_define_xml_flags_args& args) {
  return domain_in_xml(session, args.xml);
}

}  // namespace virttdx::driver
