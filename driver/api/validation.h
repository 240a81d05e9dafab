// SPDX-License-Identifier: GPL-2.0-or-later
// The VALIDATE flags of libvirt's API: documents held against RELAX NG schemas before they are read.
#pragma once

#include <string_view>

#include "rpc/wire_error.h"

namespace virttdx::driver::api {

/// A `<domain>` against schemas/domain.rng when `wanted`. VIR_ERR_XML_INVALID_SCHEMA in libvirt's words.
WireResult<> validate_domain_xml(std::string_view xml, bool wanted);

/// A `<cpu>` against libvirt's own cpu.rng when `wanted`.
WireResult<> validate_cpu_xml(std::string_view xml, bool wanted);

}  // namespace virttdx::driver::api
