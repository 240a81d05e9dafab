// SPDX-License-Identifier: GPL-2.0-or-later
// What a domain's XML names of other daemons, as they are asked for it and as its plan takes it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "domain_xml/plan.h"
#include "host/host_resources.h"

namespace virttdx::driver {

/// Gives interfaces of networks the identity of a port to be created; none of them has one yet.
void name_network_ports(domain_xml::Domain& domain);
void name_network_port(domain_xml::Interface& interface);
/// Ports that interfaces have an identity for: created, or about to be.
std::vector<NetworkPortRequest> network_ports(const domain_xml::Domain& domain);
std::vector<NetworkPortRequest> network_ports(const domain_xml::Interface& interface);
/// There are none to be given back.
void forget_network_ports(domain_xml::Domain& domain);
/// A monitor deletes its own, unless it was killed.
void delete_macvtap(const domain_xml::Interface& interface);
/// What the daemons of networks and storage are asked for.
ResourceRequest resources_asked(const domain_xml::Domain& domain);
/// What they gave: for the plan, and shown in the live definition.
domain_xml::RunResources take_resources(domain_xml::Domain& domain, const Resources& resources);
/// Descriptors that a monitor is to inherit.
std::vector<int> descriptors_of(const std::map<std::string, DiskSecrets>& secrets);

}  // namespace virttdx::driver
