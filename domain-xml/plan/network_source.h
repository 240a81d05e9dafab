// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "domain_xml/devices.h"
#include "vmm_backend/device_config.h"

namespace virttdx::domain_xml {

struct SourceRefusal {
  std::string message, remedy;
};

/// What of a network disk's `<source>` belongs to some protocols only, into `planned`, whose protocol is set.
/// Refused by name: what the protocol does not have, and what is offered for none.
std::optional<SourceRefusal> plan_protocol_options(const DiskSource& source, DiskSourceConfig& planned);

}  // namespace virttdx::domain_xml
