// SPDX-License-Identifier: GPL-2.0-or-later
// Domain XML: what is accepted must read back equal from its canonical form.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "domain_xml/domain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx::domain_xml;
  // SAFETY: bytes seen as characters.
  const auto domain = parse_domain({reinterpret_cast<const char*>(data), size});
  if (!domain) return 0;
  const auto again = parse_domain(format_domain(*domain));
  CHECK(again.has_value());
  CHECK(*again == *domain);
  return 0;
}
