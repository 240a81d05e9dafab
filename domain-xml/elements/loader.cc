// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array<std::string_view, 2> kTypes = {"rom", "pflash"};
constexpr std::array<std::string_view, 2> kFormats = {"raw", "qcow2"};

// In libvirt's order of attributes.
constexpr std::array kTable = {
    property<&Loader::readonly, YesNo>("@readonly"),      property<&Loader::secure, YesNo>("@secure"),
    property<&Loader::type, Word<kTypes>>("@type"),       property<&Loader::stateless, YesNo>("@stateless"),
    property<&Loader::format, Word<kFormats>>("@format"), property<&Loader::path, Text>("."),
};

}  // namespace

Result<Loader> read_loader(const Place& place) {
  Loader loader;
  TRY(read_properties(place, kTable, loader));
  if (!loader.path.empty() && !loader.path.starts_with('/'))
    return tl::unexpected<Error>(
        invalid_value(place, ".", loader.path, Error(Error::Code::XmlInvalid, "expected an absolute path")));
  return loader;
}

void write_loader(xml::Element& parent, const Loader& loader, const WriteContext& context) {
  write_properties(parent.add_child("loader"), kTable, loader, context);
}

}  // namespace virttdx::domain_xml
