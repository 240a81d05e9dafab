// SPDX-License-Identifier: GPL-2.0-or-later
// `<metadata>`: whatever applications keep there, an element of its own namespace each.
#include <algorithm>

#include "elements/elements.h"
#include "xml/reader.h"
#include "xml/writer.h"

namespace virttdx::domain_xml {
namespace {

std::string local_name(const xml::Element& element) {
  const auto colon = element.name.find(':');
  return colon == std::string::npos ? element.name : element.name.substr(colon + 1);
}

}  // namespace

Result<std::vector<Domain::Metadata>> read_metadata(const Place& place) {
  std::vector<Domain::Metadata> metadata;
  if (!place.element.attributes.empty() ||
      place.element.text().find_first_not_of(" \t\r\n") != std::string::npos)
    return fail_at(place.element, Error::Code::XmlInvalid, "'{}' takes elements only, no attributes or text",
                   place.path);
  for (const auto& child : place.element.children) {
    if (child.uri.empty())
      return fail_at(child, Error::Code::XmlInvalid, "element '{}' in '{}' needs a namespace of its own",
                     child.name, place.path);
    if (std::ranges::count(metadata, child.uri, &Domain::Metadata::uri) != 0)
      return fail_at(child, Error::Code::XmlInvalid, "more than one element of namespace '{}' in '{}'",
                     child.uri, place.path);
    metadata.push_back({child.uri, xml::write_element(child)});
  }
  return metadata;
}

Result<Domain::Metadata> make_metadata(std::string_view xml, std::string_view key, std::string_view uri) {
  auto root = TRY(xml::read_document(xml));
  root.name = fmt::format("{}:{}", key, local_name(root));
  std::erase_if(root.namespaces, [&](const auto& declared) { return declared.prefix == key; });
  root.namespaces.push_back({std::string(key), std::string(uri)});
  root.uri = uri;
  return Domain::Metadata{std::string(uri), xml::write_element(root)};
}

std::string metadata_document(const Domain::Metadata& metadata) {
  auto root = xml::read_document(metadata.xml);
  CHECK(root.has_value());
  // As it was handed in: the prefix is of the domain's XML only.
  root->name = local_name(*root);
  std::erase_if(root->namespaces, [&](const auto& declared) { return declared.uri == root->uri; });
  root->uri.clear();
  std::string text = xml::write_element(*root);
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

void write_metadata(xml::Element& parent, const std::vector<Domain::Metadata>& metadata) {
  if (metadata.empty()) return;
  auto& element = parent.add_child("metadata");
  for (const auto& entry : metadata) {
    auto child = xml::read_document(entry.xml);
    CHECK(child.has_value());
    element.children.push_back(*std::move(child));
  }
}

}  // namespace virttdx::domain_xml
