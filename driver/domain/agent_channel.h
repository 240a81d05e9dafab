// SPDX-License-Identifier: GPL-2.0-or-later
// The channel of QEMU's guest agent in a domain.
#pragma once

#include "domain/domain_record.h"

namespace virttdx::driver {

/// The channel that commands are sent to; nullptr: the domain has none.
const domain_xml::CharacterDevice* agent_channel(const domain_xml::Domain& domain);

/// An agent of the running guest has opened its channel.
bool has_connected_agent(const DomainRecord& record);

}  // namespace virttdx::driver
