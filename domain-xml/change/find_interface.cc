// SPDX-License-Identifier: GPL-2.0-or-later
#include "change/find_interface.h"

#include <algorithm>

namespace virttdx::domain_xml {

Result<std::size_t> find_interface(const std::vector<Interface>& interfaces, const Interface& meant) {
  const auto is_meant = [&](const Interface& candidate) {
    return candidate.mac == meant.mac && (!meant.address || candidate.address == meant.address);
  };
  const std::string mac = meant.mac.value_or("");
  const auto found = std::ranges::find_if(interfaces, is_meant);
  if (found == interfaces.end())
    return fail(Error::Code::NotFound, "no device matching MAC address {} found", mac);
  if (std::find_if(found + 1, interfaces.end(), is_meant) != interfaces.end())
    return fail(Error::Code::AlreadyExists, "multiple devices matching MAC address {} found", mac);
  return static_cast<std::size_t>(found - interfaces.begin());
}

}  // namespace virttdx::domain_xml
