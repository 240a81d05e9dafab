// SPDX-License-Identifier: GPL-2.0-or-later
// Title, description and applications' metadata; rename.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>

#include "api/find_record.h"
#include "api/flags.h"
#include "api/handlers.h"

namespace virttdx::driver::api {
namespace {

std::optional<std::string> text_of(remote_string text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(*text);
}

Result<> set_element(domain_xml::Domain& domain, const remote_domain_set_metadata_args& args) {
  const std::string_view uri = *args.uri;
  std::optional<domain_xml::Domain::Metadata> element;
  if (args.metadata != nullptr) element = TRY(domain_xml::make_metadata(*args.metadata, *args.key, uri));
  const auto found = std::find_if(domain.metadata.begin(), domain.metadata.end(),
                                  [&](const auto& entry) { return entry.uri == uri; });
  if (found == domain.metadata.end()) {
    if (element) domain.metadata.push_back(*std::move(element));
  } else if (element) {
    *found = *std::move(element);
  } else {
    domain.metadata.erase(found);
  }
  return {};
}

Result<> set_metadata(domain_xml::Domain& domain, const remote_domain_set_metadata_args& args) {
  // An empty one takes it away, as in libvirt.
  auto text = text_of(args.metadata);
  if (text == "") text.reset();
  if (args.type == VIR_DOMAIN_METADATA_DESCRIPTION) domain.description = std::move(text);
  if (args.type == VIR_DOMAIN_METADATA_TITLE) domain.title = std::move(text);
  if (args.type == VIR_DOMAIN_METADATA_ELEMENT) TRY(set_element(domain, args));
  return {};
}

// The client library checks the same; other clients need not.
Answer check_metadata(const remote_domain_set_metadata_args& args) {
  if (args.type < 0 || args.type > VIR_DOMAIN_METADATA_ELEMENT)
    return fail(Error::Code::InvalidArgument, "unknown metadata type '{}'", args.type);
  if (args.type == VIR_DOMAIN_METADATA_TITLE && args.metadata != nullptr &&
      std::string_view(*args.metadata).find('\n') != std::string_view::npos)
    return fail(Error::Code::InvalidArgument, "metadata title can't contain newlines");
  if (args.type != VIR_DOMAIN_METADATA_ELEMENT) return {};
  if (args.uri == nullptr || (args.metadata != nullptr && args.key == nullptr))
    return fail(Error::Code::InvalidArgument, "metadata of an element needs its namespace's URI and a key");
  return {};
}

std::optional<std::string> metadata_of(const domain_xml::Domain& domain, int type, remote_string uri) {
  if (type == VIR_DOMAIN_METADATA_DESCRIPTION) return domain.description;
  if (type == VIR_DOMAIN_METADATA_TITLE) return domain.title;
  for (const auto& entry : domain.metadata)
    if (uri != nullptr && entry.uri == *uri) return domain_xml::metadata_document(entry);
  return std::nullopt;
}

}  // namespace

Answer domain_set_metadata(Session& session, const remote_domain_set_metadata_args& args) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainSetMetadata");
  const RecordPtr record = TRY(find_record(session, args.dom));
  CHECK_ANSWER(check_metadata(args));
  const Impact impact = TRY(impact_of(*record, args.flags));
  TRY(session.service().change(record, impact, [&](auto& domain) { return set_metadata(domain, args); }));
  session.service().announce_metadata(*record, args.type, text_of(args.uri));
  return {};
}

Answer domain_get_metadata(Session& session, const remote_domain_get_metadata_args& args,
                           remote_domain_get_metadata_ret& ret, Arena& arena) {
  CHECK_FLAGS(args.flags, kImpactFlags, "virDomainGetMetadata");
  const RecordPtr record = TRY(find_record(session, args.dom));
  if (args.type < 0 || args.type > VIR_DOMAIN_METADATA_ELEMENT)
    return fail(Error::Code::InvalidArgument, "unknown metadata type '{}'", args.type);
  const auto text = metadata_of(*TRY(definition_asked(*record, args.flags)), args.type, args.uri);
  if (!text)
    return tl::unexpected(
        wire_error(VIR_ERR_NO_DOMAIN_METADATA, "Requested metadata element is not present"));
  ret.metadata = arena.text(*text);
  return {};
}

Answer domain_rename(Session& session, const remote_domain_rename_args& args, remote_domain_rename_ret&,
                     Arena&) {
  CHECK_FLAGS(args.flags, 0, "virDomainRename");
  const RecordPtr record = TRY(find_record(session, args.dom));
  if (args.new_name == nullptr) return fail(Error::Code::InvalidArgument, "the new name is missing");
  TRY(session.service().rename(record, *args.new_name));
  return {};
}

}  // namespace virttdx::driver::api
