// SPDX-License-Identifier: GPL-2.0-or-later
// What libvirt's drivers refuse of a definition for itself, whatever host it is for; in their words.
#pragma once

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {

/// XmlInvalid, ConfigUnsupported or Internal, as libvirt has it. Stored definitions are read without it.
Result<> check_definition(const Domain& domain);

}  // namespace virttdx::domain_xml
