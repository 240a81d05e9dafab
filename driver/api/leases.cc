// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/leases.h"

namespace virttdx::driver::api {

std::vector<domain_xml::Interface> interfaces_on_networks(const domain_xml::Domain& domain) {
  std::vector<domain_xml::Interface> found;
  for (const auto& interface : domain.devices.interfaces)
    if (interface.type == "network" && interface.mac && interface.source && interface.source->network)
      found.push_back(interface);
  return found;
}

std::vector<LeaseRequest> requests_for(const std::vector<domain_xml::Interface>& interfaces) {
  std::vector<LeaseRequest> requests;
  for (const auto& interface : interfaces) requests.push_back({*interface.mac, *interface.source->network});
  return requests;
}

}  // namespace virttdx::driver::api
