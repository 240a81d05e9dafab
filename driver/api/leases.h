// SPDX-License-Identifier: GPL-2.0-or-later
// What handlers share that ask networks for the leases of a domain.
#pragma once

#include <vector>

#include "domain_xml/domain.h"
#include "host/host_resources.h"

namespace virttdx::driver::api {

/// Those of a domain that a network of libvirt may have given addresses to.
std::vector<domain_xml::Interface> interfaces_on_networks(const domain_xml::Domain& domain);

std::vector<LeaseRequest> requests_for(const std::vector<domain_xml::Interface>& interfaces);

}  // namespace virttdx::driver::api
