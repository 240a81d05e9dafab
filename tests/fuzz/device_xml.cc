// SPDX-License-Identifier: GPL-2.0-or-later
// The XML of one device: what is read can be put into a definition, written, read back and taken out again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "domain_xml/device_change.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace virttdx::domain_xml;
  // SAFETY: bytes seen as characters.
  const auto device = parse_device({reinterpret_cast<const char*>(data), size});
  if (!device) return 0;
  Domain domain =
      *parse_domain("<domain type='kvm'><name>td</name><memory>1</memory><os><type>hvm</type></os></domain>");
  if (!attach_device(domain, *device)) return 0;
  const auto again = parse_domain(format_domain(domain));
  CHECK(again.has_value());
  CHECK(again->devices == domain.devices);
  [[maybe_unused]] const auto updated = update_device(domain, *device);
  [[maybe_unused]] const auto detached = detach_device(domain, *device);
  return 0;
}
