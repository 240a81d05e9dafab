// SPDX-License-Identifier: GPL-2.0-or-later
// A definition for everybody's eyes: what libvirt shows only to those who may ask for more is left out.
#pragma once

#include <string>

#include "domain_xml/domain.h"

namespace virttdx::domain_xml {

/// As format_domain(), without what libvirt's drivers write with VIR_DOMAIN_XML_SECURE alone: passwords of
/// graphics, cookies of disks' sources. A definition that is made of it has none of them.
std::string format_without_secrets(const Domain& domain, const FormatOptions& options = {});

}  // namespace virttdx::domain_xml
