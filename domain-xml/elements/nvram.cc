// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "elements/elements.h"
#include "values/codecs.h"

namespace virttdx::domain_xml {
namespace {

constexpr std::array kTable = {
    property<&Nvram::template_path, AbsolutePath>("@template"),
    property<&Nvram::path, Text>("."),
};

}  // namespace

Result<Nvram> read_nvram(const Place& place) {
  Nvram nvram;
  TRY(read_properties(place, kTable, nvram));
  return nvram;
}

void write_nvram(xml::Element& parent, const Nvram& nvram, const WriteContext& context) {
  write_properties(parent.add_child("nvram"), kTable, nvram, context);
}

}  // namespace virttdx::domain_xml
