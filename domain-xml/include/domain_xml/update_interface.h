// SPDX-License-Identifier: GPL-2.0-or-later
// Interfaces of a TD that runs.
#pragma once

#include "domain_xml/device_change.h"

namespace virttdx::domain_xml {

/// What an interface of a running domain becomes by an update: its link can be changed, and nothing else.
/// Errors, in libvirt's words: Unsupported (another device, another change), NotFound (no interface has the
/// MAC address), AlreadyExists (several have).
Result<Interface> update_interface(const Domain& live, const DeviceElement& device);

}  // namespace virttdx::domain_xml
